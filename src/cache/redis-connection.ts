import type * as ioredis from 'ioredis';
import { PendingCalls } from './pending-calls.js';
import type { RedisCommand } from './redis-link.js';
import { codeOf, isElsewhere, isUnable, withoutValues } from './redis-reply.js';
import type { ResolvedRedis } from './redis-settings.js';
import { RedisUnavailableError } from './redis-unavailable-error.js';
import { describeAddress, type RedisAddress } from './redis-url.js';
import type { Timing } from './timing.js';

/** What connections are made of. */
export interface RedisMeans {
  readonly library: typeof ioredis;
  readonly settings: ResolvedRedis;
  readonly timing: Timing;
}

export interface RedisConnectionOptions {
  /** How long a call waits for its answer, in milliseconds. */
  readonly limit: number;
  /** After so many calls in a row without an answer the connection is given up. */
  readonly failures: number;
  /** Is told that a node of a cluster has no longer what it had. */
  readonly moved?: (() => void) | undefined;
  /** Is told that the connection has ended, before any of its calls is. */
  readonly ended?: () => void;
}

const TEXT = { replyEncoding: 'utf8' } as const;

/** Makes calls over one connection to one server, from {@link open} until it is lost, and never again. */
export class RedisConnection {
  readonly #means: RedisMeans;
  readonly #options: RedisConnectionOptions;
  readonly #redis: ioredis.Redis;
  readonly #pending: PendingCalls;
  readonly #lost = Promise.withResolvers<void>();
  #isLost = false;
  #wasSilent = false;
  #failures = 0;
  #isHeld = false;
  /** What the network last said. */
  #trouble: unknown;

  constructor(means: RedisMeans, address: RedisAddress, options: RedisConnectionOptions) {
    const { library, settings, timing } = means;
    this.#means = means;
    this.#options = options;
    this.#pending = new PendingCalls(options.limit, timing);
    const { tls, addresses } = settings.place;
    this.#redis = new library.Redis({
      ...address,
      // Nodes of a cluster name each other by numbers, certificates by names.
      ...(tls && { tls: { servername: addresses[0].host, ...tls } }),
      connectTimeout: settings.connectTimeout,
      lazyConnect: true,
      // A connection is one server's run: a new one is made by whoever uses it, who asks for the run first.
      retryStrategy: null,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      disableClientInfo: true,
      maxRetriesPerRequest: 1,
    });
    // Without a listener, the loss of a connection would be written to the console.
    this.#redis.on('error', (error) => (this.#trouble = error));
    this.#redis.once('close', () => this.drop('the connection was lost', this.#trouble));
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether it was given up because calls had no answer. */
  get wasSilent(): boolean {
    return this.#wasSilent;
  }

  /** Resolves when the connection is lost or dropped. */
  get lost(): Promise<void> {
    return this.#lost.promise;
  }

  /**
   * Connects, and shows the server who it is that comes.
   *
   * @throws RedisUnavailableError
   */
  async open(): Promise<void> {
    const { user, password, database } = this.#means.settings.place;
    try {
      await this.#redis.connect();
    } catch (error) {
      const cause = withoutValues(this.#trouble ?? error);
      throw new RedisUnavailableError(`no connection to ${describeAddress(this.#redis.options as RedisAddress)}`, {
        cause,
      });
    }
    const commands: RedisCommand[] = [];
    if (password !== undefined) commands.push(user === undefined ? ['auth', password] : ['auth', user, password]);
    if (database !== 0) commands.push(['select', database]);
    await this.send([...commands, ['ping']]);
  }

  /** Sends commands in order, and answers with their results; see `RedisLink.send`. */
  send(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      if (this.#isLost) {
        reject(new RedisUnavailableError('the connection was lost'));
        return;
      }
      const results: unknown[] = [];
      let missing = commands.length;
      if (missing === 0) resolve(results);
      const call = {
        since: this.#means.timing.now(),
        fail: (reason: string, cause?: unknown) => {
          reject(new RedisUnavailableError(reason, { cause }));
          // Calls that a lost connection ends are no answers that did not come.
          if (!this.#isLost) this.#countFailure();
        },
      };
      const take = (index: number, result: unknown): void => {
        results[index] = result;
        missing -= 1;
        if (missing > 0) return;
        this.#failures = 0;
        this.#pending.delete(call);
        resolve(results);
      };
      const refuse = (error: unknown): void => {
        this.#pending.delete(call);
        reject(this.#refusal(error));
      };
      if (missing > 0) this.#pending.add(call);
      this.#holdWrites();
      for (const [index, [name, ...values]] of commands.entries()) {
        const command = new this.#means.library.Command(name, values, TEXT);
        command.promise.then((result: unknown) => take(index, result), refuse);
        this.#redis.sendCommand(command);
      }
    });
  }

  /** Hears what is published in the channels that it subscribes to. */
  onMessage(listener: (text: string) => void): void {
    this.#redis.on('message', (_channel: string, text: string) => listener(text));
  }

  /** Ends the connection at once, and the calls that wait for an answer. */
  drop(reason: string, cause?: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#options.ended?.();
    this.#pending.failAll(reason, withoutValues(cause));
    this.#redis.disconnect();
    // A server that does not answer would not end its side.
    (this.#redis.stream as ioredis.Redis['stream'] | undefined)?.destroy();
    this.#lost.resolve();
  }

  /** Calls that are made in one go leave in one write. */
  #holdWrites(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    const { stream } = this.#redis;
    stream.cork();
    process.nextTick(() => {
      this.#isHeld = false;
      stream.uncork();
    });
  }

  #refusal(error: unknown): RedisUnavailableError {
    const code = codeOf(error);
    const cause = withoutValues(error);
    if (code === undefined) return new RedisUnavailableError('the connection was lost', { cause });
    if (isUnable(code)) this.#countFailure();
    else this.#failures = 0;
    if (isElsewhere(code)) this.#options.moved?.();
    return new RedisUnavailableError(`the server answered ${code}`, { cause });
  }

  #countFailure(): void {
    this.#failures += 1;
    if (this.#failures < this.#options.failures || this.#isLost) return;
    this.#wasSilent = true;
    this.drop(`${String(this.#failures)} calls in a row had no answer`);
  }
}
