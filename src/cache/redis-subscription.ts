import { type Ending, keepAlive } from './keep-alive.js';
import { RedisConnection, type RedisMeans } from './redis-connection.js';
import type { RedisSubscriber } from './redis-link.js';
import { readRun } from './redis-run.js';
import type { RedisAddress } from './redis-url.js';

/** The server that a channel is published at. */
export interface RedisSource {
  readonly address: RedisAddress;
  /** Its run, undefined while it is not known. */
  readonly run: string | undefined;
}

/**
 * Hears what is published in a channel, over a connection of its own. A server that answers a PING has sent before what was published
 * before, so each answer tells until when everything was heard. One that does not come within two heartbeats ends the connection.
 */
export class RedisSubscription {
  readonly #means: RedisMeans;
  readonly #channel: string;
  readonly #subscriber: RedisSubscriber;
  readonly #source: () => RedisSource | undefined;
  #connection: RedisConnection | undefined;
  #heardUntil = -Infinity;
  #isClosed = false;

  /** @param source Where the channel is published now; undefined while nobody knows. */
  constructor(means: RedisMeans, channel: string, subscriber: RedisSubscriber, source: () => RedisSource | undefined) {
    this.#means = means;
    this.#channel = channel;
    this.#subscriber = subscriber;
    this.#source = source;
    void keepAlive(() => this.#connect(), means.settings, means.timing);
  }

  /** See `RedisLink.heardUntil`. */
  get heardUntil(): number {
    return this.#heardUntil;
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.drop('the cache was closed');
  }

  async #connect(): Promise<Ending | undefined> {
    if (this.#isClosed) return undefined;
    const address = this.#source()?.address;
    if (!address) return 'useless';
    const connection = new RedisConnection(this.#means, address, {
      limit: 2 * this.#means.settings.heartbeat,
      failures: 1,
      ended: () => (this.#heardUntil = -Infinity),
    });
    this.#connection = connection;
    try {
      await connection.open();
      const run = await readRun(connection, false);
      connection.onMessage((text) => this.#subscriber.message(text));
      await connection.send([['subscribe', this.#channel]]);
      this.#subscriber.missed();
      let beats = 0;
      void this.#beat(connection, run, () => (beats += 1));
      await connection.lost;
      // The first PING is answered at once; one that came a heartbeat later shows that the server is of use.
      return this.#isClosed ? undefined : beats > 1 ? 'lost' : 'useless';
    } catch (cause) {
      connection.drop('the subscription has failed', cause);
      return this.#isClosed ? undefined : 'useless';
    }
  }

  async #beat(connection: RedisConnection, run: string, succeeded: () => void): Promise<void> {
    const { settings, timing } = this.#means;
    while (!connection.isLost) {
      const asked = timing.now();
      try {
        await connection.send([['ping']]);
      } catch (cause) {
        connection.drop('the server answered no PING', cause);
        return;
      }
      if (connection.isLost) return;
      this.#hear(connection, run, asked);
      succeeded();
      await timing.wait(settings.heartbeat);
    }
  }

  /** While another server may have taken over, nobody knows whether it has heard all; when one has, it has not. */
  #hear(connection: RedisConnection, run: string, asked: number): void {
    const current = this.#source()?.run;
    if (current === run) this.#heardUntil = asked;
    else if (current !== undefined) connection.drop('the channel is published elsewhere');
  }
}
