import { type Ending, keepAlive } from './keep-alive.js';
import { RedisConnection, type RedisMeans } from './redis-connection.js';
import type { RedisCommand } from './redis-link.js';
import { readRun, reportRun } from './redis-run.js';
import { RedisUnavailableError } from './redis-unavailable-error.js';
import type { RedisAddress } from './redis-url.js';

/**
 * A server, as it is known here. The breaker and the connection are one: it is closed while the state is `up`, and open while there is
 * no connection that calls may use.
 *
 *     away ── connected, and the run is known ─────────────▶ up
 *     up ──── lost, 3 calls unanswered, or another run ────▶ away      (then, or after 250 ms … 2 s, a connection is tried: half open)
 *     any ─── close() ─────────────────────────────────────▶ closed
 */
type State =
  | { readonly kind: 'away'; readonly connecting?: RedisConnection; readonly trouble?: unknown }
  | { readonly kind: 'up'; readonly connection: RedisConnection; readonly run: string }
  | { readonly kind: 'closed' };

export interface RedisNodeOptions {
  /** Whether a replica will do. */
  readonly mayFollow: boolean;
  /** Is told when the run has become another one, also when it is no longer known. */
  readonly changed?: () => void;
  /** Is told that this node of a cluster has no longer what it had. */
  readonly moved?: (() => void) | undefined;
}

/** Keeps a connection to a server, and knows which run of the server it is a connection to. */
export class RedisNode {
  readonly address: RedisAddress;
  readonly #means: RedisMeans;
  readonly #options: RedisNodeOptions;
  readonly #tried = Promise.withResolvers<void>();
  #state: State = { kind: 'away' };

  constructor(means: RedisMeans, address: RedisAddress, options: RedisNodeOptions) {
    this.address = address;
    this.#means = means;
    this.#options = options;
    void keepAlive(() => this.#connect(), means.settings, means.timing);
  }

  /** Resolves when the first connection is there, or could not be had. */
  get tried(): Promise<void> {
    return this.#tried.promise;
  }

  get run(): string | undefined {
    return this.#state.kind === 'up' ? this.#state.run : undefined;
  }

  /** See `RedisLink.send`. */
  send(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    return this.#state.kind === 'up'
      ? this.#state.connection.send(commands)
      : Promise.reject(this.#absence(this.#state));
  }

  close(): void {
    const state = this.#state;
    this.#enter({ kind: 'closed' });
    const connection = state.kind === 'up' ? state.connection : state.kind === 'away' ? state.connecting : undefined;
    connection?.drop('the cache was closed');
  }

  #enter(state: State): void {
    const { run } = this;
    this.#state = state;
    if (run !== this.run) this.#options.changed?.();
  }

  #absence(state: Exclude<State, { readonly kind: 'up' }>): RedisUnavailableError {
    if (state.kind === 'closed') return new RedisUnavailableError('the cache was closed');
    return new RedisUnavailableError('it is away', { cause: state.trouble });
  }

  async #connect(): Promise<Ending | undefined> {
    if (this.#isClosed()) return undefined;
    const { commandTimeout: limit, failures } = this.#means.settings;
    const connection: RedisConnection = new RedisConnection(this.#means, this.address, {
      limit,
      failures,
      moved: this.#options.moved,
      ended: () => {
        if (this.#state.kind === 'up') this.#enter({ kind: 'away' });
      },
    });
    this.#enter({ ...this.#state, kind: 'away', connecting: connection });
    const ending = await this.#use(connection);
    return this.#isClosed() ? undefined : ending;
  }

  /** Takes the node up, and keeps it so until the connection has ended. */
  async #use(connection: RedisConnection): Promise<Ending> {
    try {
      await connection.open();
      const run = await readRun(connection, this.#options.mayFollow);
      this.#enter({ kind: 'up', connection, run });
      this.#tried.resolve();
      let hasServed = false;
      void this.#beat(connection, run, () => (hasServed = true));
      await connection.lost;
      return !hasServed ? 'useless' : connection.wasSilent ? 'silent' : 'lost';
    } catch (trouble) {
      connection.drop('the server is of no use');
      if (!this.#isClosed()) this.#enter({ kind: 'away', trouble });
      return 'useless';
    } finally {
      this.#tried.resolve();
    }
  }

  /** Asks now and then whether this is the same run still; a connection through a proxy may reach another server from one call to the next. */
  async #beat(connection: RedisConnection, run: string, succeeded: () => void): Promise<void> {
    const { heartbeat, commandTimeout } = this.#means.settings;
    let pause = heartbeat;
    for (;;) {
      await this.#means.timing.wait(pause);
      if (connection.isLost) return;
      try {
        const { run: now, problem } = await reportRun(connection, this.#options.mayFollow);
        if (now === run) succeeded();
        else connection.drop(problem ?? 'the server is in another run');
        pause = heartbeat;
      } catch {
        // A call without an answer counts; to give the connection up, it takes several in a row.
        pause = commandTimeout;
      }
    }
  }

  #isClosed(): boolean {
    return this.#state.kind === 'closed';
  }
}
