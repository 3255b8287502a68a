import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RedisLink } from '../../src/cache/redis-link.js';
import { NO_OWN_REDIS, needsOwnRedis, type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { openLink, openProxy, SOON, untilUp } from '../support/redis-links.js';

const CHANNEL = 'news';

/** Subscribes, and writes down what it is told. */
function listen(link: RedisLink): { readonly told: string[]; readonly heardAtMiss: number[] } {
  const told: string[] = [];
  const heardAtMiss: number[] = [];
  link.subscribe(CHANNEL, {
    message: (text) => told.push(text),
    missed: () => {
      told.push('missed');
      heardAtMiss.push(link.heardUntil);
    },
  });
  return { told, heardAtMiss };
}

async function untilHeard(link: RedisLink, after: number): Promise<void> {
  await vi.waitFor(() => expect(link.heardUntil).toBeGreaterThan(after), SOON);
}

/** A proxy that can cut off a connection which subscribes, or the others. */
async function openCutter(port: number) {
  const control = await openProxy(port);
  const cutter = {
    url: control.url,
    mode: 'forward' as 'forward' | 'drop' | 'reset',
    others: 'forward' as 'forward' | 'drop',
    /** How many PINGs of connections that subscribe were answered. */
    pongs: 0,
  };
  control.newHook = () => {
    let subscribes = false;
    return (direction, piece) => {
      subscribes ||= direction === 'toServer' && piece.includes('subscribe');
      if (subscribes && direction === 'toClient' && piece.includes('pong')) cutter.pongs += 1;
      return subscribes ? cutter.mode : cutter.others;
    };
  };
  return cutter;
}

describe.skipIf(NO_OWN_REDIS)(needsOwnRedis('What a link to Redis hears'), () => {
  let server: OwnRedis;
  beforeAll(async () => {
    server = await startOwnRedis();
  });
  afterAll(() => server.close());

  it('is everything that is published, in its order', async () => {
    const link = await openLink(server.url, { commandTimeout: 10_000 });
    const { told } = listen(link);
    await untilHeard(link, -Infinity);
    const texts = Array.from({ length: 2_000 }, (_, index) => `${String(index)} \u{1F600}`);
    await Promise.all(texts.map((text) => link.send([['publish', CHANNEL, text]])));
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(texts.length), SOON);
    expect(told).toEqual(['missed', ...texts]);
  });

  it('is known up to a time that moves on with each heartbeat, and lies before what comes later', async () => {
    const link = await openLink(server.url, { heartbeat: 50 });
    expect(link.heardUntil).toBe(-Infinity);
    const { told, heardAtMiss } = listen(link);
    expect(link.heardUntil).toBe(-Infinity);
    for (let round = 0; round < 20; round += 1) {
      await server.run('publish', CHANNEL, `message ${String(round)}`);
      const published = performance.now();
      await untilHeard(link, published);
      if (round > 0) expect(told.at(-1)).toBe(`message ${String(round)}`);
      expect(link.heardUntil).toBeLessThanOrEqual(performance.now());
    }
    expect(heardAtMiss).toEqual([-Infinity]);
  });

  it('is not known while the connection is half open, which is noticed within two heartbeats', async () => {
    const cutter = await openCutter(server.port);
    const heartbeat = 200;
    const link = await openLink(cutter.url, { heartbeat });
    const { told, heardAtMiss } = listen(link);
    await untilHeard(link, -Infinity);
    cutter.mode = 'drop';
    const begun = performance.now();
    await server.run('publish', CHANNEL, 'lost');
    await vi.waitFor(() => expect(link.heardUntil).toBe(-Infinity), SOON);
    // One heartbeat until the next PING, and two that its answer may take, on a machine that may be busy.
    expect(performance.now() - begun).toBeLessThan(3 * heartbeat + 1_000);
    // Commands have a connection of their own.
    expect(link.run).toBeDefined();
    expect(await link.send([['echo', 'here']])).toEqual(['here']);
    cutter.mode = 'forward';
    await untilHeard(link, begun);
    await server.run('publish', CHANNEL, 'after');
    await vi.waitFor(() => expect(told).toEqual(['missed', 'missed', 'after']), SOON);
    expect(heardAtMiss).toEqual([-Infinity, -Infinity]);
  });

  it('is not known while the server is frozen, and all is missed when it was', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    const link = await openLink(own.url, { heartbeat: 100 });
    const { told } = listen(link);
    await untilHeard(link, -Infinity);
    own.freeze();
    await vi.waitFor(() => expect(link.heardUntil).toBe(-Infinity), SOON);
    own.thaw();
    await untilHeard(link, -Infinity);
    expect(told).toEqual(['missed', 'missed']);
  });

  it('begins again at once after a reset, and after a restart of the server', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    const cutter = await openCutter(own.port);
    const link = await openLink(cutter.url, { heartbeat: 50 });
    const { told } = listen(link);
    await untilHeard(link, -Infinity);
    cutter.mode = 'reset';
    await vi.waitFor(() => expect(link.heardUntil).toBe(-Infinity), SOON);
    cutter.mode = 'forward';
    await untilHeard(link, -Infinity);
    expect(told.length).toBeGreaterThanOrEqual(2);
    const { length } = told;
    await own.stop('kill');
    await vi.waitFor(() => expect(link.heardUntil).toBe(-Infinity), SOON);
    await own.start();
    await untilHeard(link, -Infinity);
    expect(told.slice(length)).toEqual(['missed']);
  });

  it('is missed where it could not be taken', async () => {
    const link = await openLink(server.url, { heartbeat: 50 });
    const told: string[] = [];
    const message = (text: string): void => {
      if (text === 'poison') throw new Error('this cannot be taken');
      told.push(text);
    };
    link.subscribe(CHANNEL, { message, missed: () => told.push('missed') });
    await untilHeard(link, -Infinity);
    for (const text of ['before', 'poison', 'lost']) await link.send([['publish', CHANNEL, text]]);
    await vi.waitFor(() => expect(told).toEqual(['missed', 'before', 'missed']), SOON);
  });

  it('begins when a server appears', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    await own.stop('kill');
    const link = await openLink(own.url);
    const { told } = listen(link);
    expect(link.heardUntil).toBe(-Infinity);
    await own.start();
    await untilUp(link);
    await untilHeard(link, -Infinity);
    expect(told).toEqual(['missed']);
  });

  it('is not believed of a server that calls have left for another one', async () => {
    const other = await startOwnRedis();
    onTestFinished(() => other.close());
    const routed = await openRouter(server.port);
    const link = await openLink(routed.url, { heartbeat: 50 });
    const { told } = listen(link);
    await untilHeard(link, -Infinity);
    const run = link.run;
    // The subscriber's connection to the first server stays, and answers.
    routed.target = other.port;
    await server.run('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await vi.waitFor(() => expect(link.run ?? run).not.toBe(run), SOON);
    await vi.waitFor(() => expect(told).toEqual(['missed', 'missed']), SOON);
    await untilHeard(link, -Infinity);
    await other.run('publish', CHANNEL, 'from the other one');
    await vi.waitFor(() => expect(told.at(-1)).toBe('from the other one'), SOON);
  });

  it('is known no further while calls do not reach the server, for another one may have taken over', async () => {
    const cutter = await openCutter(server.port);
    const link = await openLink(cutter.url, { heartbeat: 50 });
    const { told } = listen(link);
    await untilHeard(link, -Infinity);
    cutter.others = 'drop';
    await vi.waitFor(() => expect(link.run).toBeUndefined(), SOON);
    const [heard, { pongs }] = [link.heardUntil, cutter];
    await vi.waitFor(() => expect(cutter.pongs).toBeGreaterThan(pongs + 3), SOON);
    expect(link.heardUntil).toBe(heard);
    cutter.others = 'forward';
    await untilHeard(link, heard);
    expect(told).toEqual(['missed']);
  });

  it('ends when the link is closed', async () => {
    const link = await openLink(server.url, { heartbeat: 50 });
    listen(link);
    await untilHeard(link, -Infinity);
    await link.close();
    expect(link.heardUntil).toBe(-Infinity);
    await vi.waitFor(async () => expect(await server.run('pubsub', 'numsub', CHANNEL)).toEqual([CHANNEL, 0]), SOON);
  });
});

/** A proxy that takes new connections to another server as soon as it is told to. */
async function openRouter(port: number) {
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const upstream = connect(routed.target, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined).on('close', () => to.destroy());
      from.pipe(to);
    }
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const routed = { url: `redis://127.0.0.1:${String((listener.address() as AddressInfo).port)}`, target: port };
  onTestFinished(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return routed;
}
