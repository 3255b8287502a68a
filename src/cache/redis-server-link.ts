import type { RedisMeans } from './redis-connection.js';
import type { Expiring, RedisCommand, RedisLink, RedisSubscriber } from './redis-link.js';
import { RedisNode } from './redis-node.js';
import { scanServer } from './redis-scan.js';
import { removeCommand, replaceCommand } from './redis-scripts.js';
import { RedisSubscription } from './redis-subscription.js';
import { RedisUnavailableError } from './redis-unavailable-error.js';

/** The link to a single server. */
export class RedisServerLink implements RedisLink {
  readonly #means: RedisMeans;
  readonly #node: RedisNode;
  #subscription: RedisSubscription | undefined;

  constructor(means: RedisMeans) {
    this.#means = means;
    this.#node = new RedisNode(means, means.settings.place.addresses[0], { mayFollow: false });
  }

  /** Resolves when the server is there, or was not at the first attempt. */
  get tried(): Promise<void> {
    return this.#node.tried;
  }

  get run(): string | undefined {
    return this.#node.run;
  }

  get heardUntil(): number {
    return this.#subscription?.heardUntil ?? -Infinity;
  }

  send(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    return this.#node.send(commands);
  }

  async replace(key: string, expected: Expiring, value: Expiring): Promise<boolean> {
    const [answer] = await this.#node.send([replaceCommand(key, expected, value)]);
    return answer === 1;
  }

  async remove(key: string, expected: string): Promise<void> {
    await this.#node.send([removeCommand(key, expected)]);
  }

  async *scan(prefix: string): AsyncGenerator<readonly string[]> {
    const { run } = this;
    // The rest of another run's keys would be no answer.
    const check = (): void => {
      if (this.run !== run) throw new RedisUnavailableError('it is in another run, or away');
    };
    for await (const keys of scanServer((commands) => this.#node.send(commands), prefix)) {
      check();
      yield keys;
    }
    check();
  }

  subscribe(channel: string, subscriber: RedisSubscriber): void {
    this.#subscription ??= new RedisSubscription(this.#means, channel, subscriber, () => this.#node);
  }

  close(): Promise<void> {
    this.#subscription?.close();
    this.#node.close();
    return Promise.resolve();
  }
}
