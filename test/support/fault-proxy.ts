import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';

export type Direction = 'toServer' | 'toClient';

/**
 * What becomes of a piece of the stream: it is forwarded, at once or after so many milliseconds; dropped, and nobody is told; forwarded
 * up to so many bytes, and the connection ends there; or dropped, and the connection is reset at both ends.
 */
export type Action = 'forward' | { readonly delay: number } | 'drop' | { readonly cutAfter: number } | 'reset';

/** Decides over one connection: it is asked for each piece, in the order of the stream. */
export type Hook = (direction: Direction, chunk: Buffer) => Action;

/** A TCP proxy in front of a server, for faults that neither end can foresee. */
export class FaultProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #hookOf: () => Hook;
  readonly #resets = new Set<() => void>();
  #server: Server;
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;

  private constructor(target: { readonly host: string; readonly port: number }, hookOf: () => Hook, server: Server) {
    this.#target = target;
    this.#hookOf = hookOf;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', this.#link);
  }

  /** Starts a proxy on a free port; `hookOf` gives the hook of each new connection. */
  static async start(
    target: { readonly host: string; readonly port: number },
    hookOf: () => Hook = () => () => 'forward',
  ): Promise<FaultProxy> {
    return new FaultProxy(target, hookOf, await listen(0));
  }

  /** Resets the connections that are open, and returns how many there were. */
  resetAll(): number {
    const count = this.#resets.size;
    for (const reset of this.#resets) reset();
    return count;
  }

  /** Refuses new connections until {@link accept}; those that are open stay. */
  refuse(): void {
    this.#server.close();
  }

  /** Accepts connections again. */
  async accept(): Promise<void> {
    this.#server = (await listen(this.port)).on('connection', this.#link);
  }

  close(): void {
    this.refuse();
    this.resetAll();
  }

  readonly #link = (client: Socket): void => {
    const server = connect({ ...this.#target, allowHalfOpen: true });
    const hook = this.#hookOf();
    const reset = (): void => {
      client.resetAndDestroy();
      server.resetAndDestroy();
    };
    this.#resets.add(reset);
    const directions = [
      pipeline(client, (pieces: AsyncIterable<Buffer>) => act(pieces, 'toServer', hook, reset), server),
      pipeline(server, (pieces: AsyncIterable<Buffer>) => act(pieces, 'toClient', hook, reset), client),
    ];
    // One end that goes takes the other with it, as without a proxy.
    for (const direction of directions) direction.catch(() => [client, server].map((socket) => socket.destroy()));
    void Promise.allSettled(directions).then(() => this.#resets.delete(reset));
  };
}

async function* act(
  pieces: AsyncIterable<Buffer>,
  direction: Direction,
  hook: Hook,
  reset: () => void,
): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    const action = hook(direction, piece);
    if (action === 'drop') continue;
    if (action === 'reset') {
      reset();
      break;
    }
    if (action !== 'forward' && 'cutAfter' in action) {
      yield piece.subarray(0, action.cutAfter);
      break;
    }
    if (action !== 'forward') await pause(action.delay);
    yield piece;
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Reads what a client sends over one connection, and returns the statements that each piece asks the server to run. */
export type StatementReader = (piece: Buffer) => string[];

/**
 * Forwards a statement to the server, and resets the connection instead of forwarding the reply, or drops it and all that follows: the
 * server has done what the client cannot know. `isMet` is asked for every statement.
 */
export function swallowReply(
  read: StatementReader,
  isMet: (statement: string) => boolean,
  loss: 'reset' | 'drop' = 'reset',
): Hook {
  let hasMet = false;
  return (direction, piece) => {
    if (direction === 'toClient') return hasMet ? loss : 'forward';
    if (read(piece).some(isMet)) hasMet = true;
    return 'forward';
  };
}

/** For PostgreSQL's protocol 3.0 without TLS: simple queries, and the execution of prepared ones. */
export function readPostgreSql(): StatementReader {
  const [statements, portals] = [new Map<string, string>(), new Map<string, string>()];
  let hasStarted = false;
  return reassemble(
    // The first message has no type.
    (bytes) => (bytes.length < 5 ? undefined : hasStarted ? 1 + bytes.readInt32BE(1) : bytes.readInt32BE(0)),
    (message) => {
      if (!hasStarted) {
        hasStarted = true;
        return undefined;
      }
      const [type, body] = [String.fromCharCode(message[0] ?? 0), message.subarray(5)];
      const [first = '', second = ''] = body.toString('latin1').split('\0', 2);
      if (type === 'Q') return first;
      if (type === 'P') statements.set(first, second);
      if (type === 'B') portals.set(first, statements.get(second) ?? '');
      return type === 'E' ? portals.get(first) : undefined;
    },
  );
}

/** For the protocol of MySQL and MariaDB without TLS and compression: text queries. */
export function readMySql(): StatementReader {
  const QUERY = 3;
  return reassemble(
    (bytes) => (bytes.length < 4 ? undefined : 4 + bytes.readUIntLE(0, 3)),
    // A command is the first packet of its sequence; what authenticates is not.
    (packet) => (packet[3] === 0 && packet[4] === QUERY ? packet.subarray(5).toString() : undefined),
  );
}

/** Cuts a stream into messages, whose length is known from their beginning, and maps those that are statements. */
function reassemble(
  lengthOf: (bytes: Buffer) => number | undefined,
  statementOf: (message: Buffer) => string | undefined,
): StatementReader {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    rest = Buffer.concat([rest, piece]);
    const found: string[] = [];
    for (let length = lengthOf(rest); length !== undefined && rest.length >= length; length = lengthOf(rest)) {
      const statement = statementOf(rest.subarray(0, length));
      rest = rest.subarray(length);
      if (statement !== undefined) found.push(statement);
    }
    return found;
  };
}
