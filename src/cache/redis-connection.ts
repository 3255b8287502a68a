import { isIP } from 'node:net';
import type * as ioredis from 'ioredis';
import { RedisFlight, RedisFlights } from './redis-flights.js';
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

const LOST = 'the connection was lost';
const TEXT = { replyEncoding: 'utf8' } as const;

/** Makes calls over one connection to one server, from {@link open} until it is lost, and never again. */
export class RedisConnection {
  readonly #means: RedisMeans;
  readonly #options: RedisConnectionOptions;
  readonly #redis: ioredis.Redis;
  readonly #flights: RedisFlights;
  readonly #lost = Promise.withResolvers<void>();
  #isLost = false;
  #wasSilent = false;
  #failures = 0;
  /** What leaves when the present task of the process is done. */
  #boarding: RedisFlight | undefined;
  readonly #luggage = new Luggage();
  /** What the network last said. */
  #trouble: unknown;

  constructor(means: RedisMeans, address: RedisAddress, options: RedisConnectionOptions) {
    const { library, settings, timing } = means;
    this.#means = means;
    this.#options = options;
    this.#flights = new RedisFlights(options.limit, timing, (flight) => this.#expire(flight));
    const { tls, addresses } = settings.place;
    this.#redis = new library.Redis({
      ...address,
      // Nodes of a cluster name each other by numbers, certificates by names.
      ...(tls && { tls: { ...tls, ...(isIP(addresses[0].host) === 0 && { servername: addresses[0].host }) } }),
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
    this.#redis.once('close', () => this.drop(LOST, this.#trouble));
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
    if (this.#isLost) return Promise.reject(new RedisUnavailableError(LOST));
    const [only] = commands;
    const isSingle = commands.length === 1 && only !== undefined;
    // Whom nobody is with need not wait for others.
    const isAlone = isSingle && !this.#boarding && this.#flights.areNone;
    const flight = isAlone ? this.#depart() : (this.#boarding ??= this.#board());
    flight.calls += 1;
    // Most calls are a single read, and need no more than this.
    if (isSingle) return this.#submit(flight, only, isAlone).then(flight.takeOnlyResult, flight.takeError);
    return Promise.all(
      commands.map((command) => this.#submit(flight, command).then(flight.takeResult, flight.takeError)),
    );
  }

  /** Hears what is published in the channels that it subscribes to. A listener that throws has missed what it was told. */
  onMessage(listener: (text: string) => void): void {
    this.#redis.on('message', (_channel: string, text: string) => {
      try {
        if (!this.#isLost) listener(text);
      } catch (cause) {
        this.drop('a message could not be taken', cause);
      }
    });
  }

  /** Ends the connection at once, and the calls that wait for an answer. */
  drop(reason: string, cause?: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#options.ended?.();
    this.#flights.fail(new RedisUnavailableError(reason, { cause: withoutValues(cause) }));
    // One that has ended would be waited for; a server that does not answer would not end its side.
    if (this.#redis.status !== 'end') this.#redis.disconnect();
    (this.#redis.stream as ioredis.Redis['stream'] | undefined)?.destroy();
    this.#lost.resolve();
  }

  /** Calls that are made in one go leave in one write. */
  #board(): RedisFlight {
    const flight = this.#depart();
    const { stream } = this.#redis;
    process.nextTick(() => {
      this.#boarding = undefined;
      stream.write(this.#luggage.take());
    });
    return flight;
  }

  #depart(): RedisFlight {
    const flight = new RedisFlight(this.#means.timing.now(), this.#onResult, this.#onError);
    this.#flights.add(flight);
    return flight;
  }

  #submit(flight: RedisFlight, [name, ...values]: RedisCommand, isAlone = false): Promise<unknown> {
    const command = new this.#means.library.Command(name, values, TEXT);
    flight.commands.push(command);
    flight.missing += 1;
    // This is how a pipeline of ioredis collects its commands.
    if (isAlone) this.#redis.sendCommand(command);
    else this.#redis.sendCommand(command, this.#luggage as unknown as ioredis.Redis['stream']);
    return command.promise;
  }

  readonly #onResult = (flight: RedisFlight): void => {
    this.#failures = 0;
    if (flight.missing === 0) this.#flights.delete(flight);
  };

  readonly #onError = (flight: RedisFlight, error: unknown): never => {
    if (flight.missing === 0) this.#flights.delete(flight);
    if (error instanceof RedisUnavailableError) throw error;
    const code = codeOf(error);
    const cause = withoutValues(error);
    if (code === undefined) throw new RedisUnavailableError(LOST, { cause });
    if (isUnable(code)) this.#countFailures(1);
    else this.#failures = 0;
    if (isElsewhere(code)) this.#options.moved?.();
    throw new RedisUnavailableError(`the server answered ${code}`, { cause });
  };

  #expire(flight: RedisFlight): void {
    const failures = Math.min(flight.calls, flight.missing);
    flight.fail(new RedisUnavailableError(`it gave no answer within ${String(this.#options.limit)} ms`));
    this.#countFailures(failures);
  }

  #countFailures(count: number): void {
    this.#failures += count;
    if (this.#failures < this.#options.failures || this.#isLost) return;
    this.#wasSilent = true;
    this.drop(`${String(this.#failures)} calls in a row had no answer`);
  }
}

/** The text of commands that have not left. One long text is written faster than many short ones. */
class Luggage {
  #text = '';

  write(text: string): void {
    this.#text += text;
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}
