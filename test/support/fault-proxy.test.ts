import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FaultProxy, type Hook, readMySql, readPostgreSql, swallowReply } from './fault-proxy.js';

/** A proxy in front of a server that sends back what it gets, and a client of it. */
async function openEcho(hook: Hook = () => 'forward') {
  const received: string[] = [];
  const server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (piece) => {
        received.push(piece.toString());
        socket.write(piece);
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, () => hook);
  onTestFinished(() => {
    proxy.close();
    server.close();
  });
  return { proxy, received, client: await open(proxy) };
}

async function open({ port }: FaultProxy): Promise<Socket> {
  const client = connect(port, '127.0.0.1').setNoDelay().setEncoding('utf8');
  await once(client, 'connect');
  // `answer` tells of a reset; one that comes while nobody asks, as when a test ends, is no news.
  client.on('error', () => undefined);
  return client;
}

/** The next piece, or the error that comes instead of it. */
async function answer(client: Socket): Promise<string> {
  return once(client, 'data').then(
    ([piece]) => String(piece),
    (error: NodeJS.ErrnoException) => String(error.code),
  );
}

describe('the fault proxy', () => {
  it('forwards everything in order, also what is delayed, and the end', async () => {
    let pieces = 0;
    const { client } = await openEcho(() => ((pieces += 1) % 3 === 0 ? { delay: 2 } : 'forward'));
    const text = Array.from({ length: 200_000 }, (_, index) => String(index)).join(' ');
    client.write(text);
    let echoed = '';
    while (echoed.length < text.length) echoed += await answer(client);
    expect(echoed === text).toBe(true);
    client.end();
    await once(client, 'close');
  });

  it('delays by the time it is told', async () => {
    const { client } = await openEcho((direction) => (direction === 'toServer' ? { delay: 30 } : 'forward'));
    const begun = performance.now();
    client.write('x');
    expect(await answer(client)).toBe('x');
    // A timer may fire a fraction of a millisecond early.
    expect(performance.now() - begun).toBeGreaterThan(29);
  });

  it.each(['toServer', 'toClient'] as const)('drops pieces %s, and the connection stays', async (way) => {
    const dropped: string[] = [];
    const { client, received } = await openEcho((direction, piece) => {
      if (direction !== way || piece.toString() !== 'lost') return 'forward';
      dropped.push('lost');
      return 'drop';
    });
    client.write('first');
    expect(await answer(client)).toBe('first');
    client.write('lost');
    await vi.waitFor(() => expect(dropped).toEqual(['lost']));
    client.write('last');
    expect(await answer(client)).toBe('last');
    expect(received.includes('lost')).toBe(way === 'toClient');
  });

  it('cuts a piece and ends the connection', async () => {
    const { client } = await openEcho((direction) => (direction === 'toClient' ? { cutAfter: 4 } : 'forward'));
    client.write('all or nothing');
    expect(await answer(client)).toBe('all ');
    await once(client, 'close');
  });

  it('resets a connection by its hook', async () => {
    const { client, received } = await openEcho((direction) => (direction === 'toClient' ? 'reset' : 'forward'));
    client.write('x');
    expect(await answer(client)).toBe('ECONNRESET');
    expect(received).toEqual(['x']);
  });

  it('resets all connections, and accepts new ones', async () => {
    const { client, proxy } = await openEcho();
    const second = await open(proxy);
    for (const each of [client, second]) {
      each.write('x');
      expect(await answer(each)).toBe('x');
    }
    const answers = [answer(client), answer(second)];
    expect(proxy.resetAll()).toBe(2);
    expect(await Promise.all(answers)).toEqual(['ECONNRESET', 'ECONNRESET']);
    const third = await open(proxy);
    third.write('y');
    expect(await answer(third)).toBe('y');
  });

  it('refuses new connections and keeps the old, until it accepts again', async () => {
    const { client, proxy } = await openEcho();
    client.write('x');
    expect(await answer(client)).toBe('x');
    proxy.refuse();
    await expect(open(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.write('y');
    expect(await answer(client)).toBe('y');
    await proxy.accept();
    await open(proxy);
  });
});

/** A message of PostgreSQL's protocol. */
function message(type: string, ...texts: readonly string[]): Buffer {
  const body = Buffer.from(texts.map((text) => `${text}\0`).join(''));
  const head = Buffer.alloc(4);
  head.writeInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(type), head, body]);
}

/** A packet of MySQL's protocol. */
function packet(sequence: number, command: number, text: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(1 + Buffer.byteLength(text), 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, Buffer.from([command]), Buffer.from(text)]);
}

const POSTGRESQL = [
  message('', 'user', 'ada'),
  message('p', 'commit'),
  message('Q', 'begin'),
  message('P', 'named', 'insert into notes values ($1)'),
  message('B', 'portal', 'named', 'a value that says commit'),
  message('E', 'portal'),
  message('P', '', 'commit'),
  message('B', '', ''),
  message('E', ''),
  message('B', '', 'named'),
  message('E', ''),
  message('Q', 'commit'),
];
const MYSQL = [packet(1, 3, 'ada'), packet(0, 3, 'begin'), packet(0, 2, 'shop'), packet(0, 3, 'commit')];

describe.each([
  {
    protocol: 'PostgreSQL',
    reader: readPostgreSql,
    sent: POSTGRESQL,
    statements: ['begin', 'insert into notes values ($1)', 'commit', 'insert into notes values ($1)', 'commit'],
  },
  { protocol: 'MySQL', reader: readMySql, sent: MYSQL, statements: ['begin', 'commit'] },
])('the statements that a client of $protocol sends', ({ reader, sent, statements }) => {
  it.each([1, 2, 3, 7, 1_000])('are read from pieces of %i bytes', (size) => {
    const [read, stream] = [reader(), Buffer.concat(sent)];
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
      stream.subarray(index * size, (index + 1) * size),
    );
    expect(pieces.flatMap(read)).toEqual(statements);
  });
});

it('the reply of a statement is swallowed after the server has it', async () => {
  const hook = swallowReply(
    (piece) => [piece.toString()],
    (statement) => statement === 'commit',
  );
  const { client, received } = await openEcho(hook);
  client.write('begin');
  expect(await answer(client)).toBe('begin');
  client.write('commit');
  expect(await answer(client)).toBe('ECONNRESET');
  expect(received).toEqual(['begin', 'commit']);
});
