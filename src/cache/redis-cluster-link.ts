import { createHash } from 'node:crypto';
import type { RedisMeans } from './redis-connection.js';
import type { Expiring, RedisCommand, RedisLink, RedisSubscriber } from './redis-link.js';
import { RedisNode } from './redis-node.js';
import { scanServer } from './redis-scan.js';
import { removeCommand, replaceCommand } from './redis-scripts.js';
import { RedisSubscription } from './redis-subscription.js';
import { parseSlots, SLOTS, type SlotRange } from './redis-topology.js';
import { RedisUnavailableError } from './redis-unavailable-error.js';
import { describeAddress, type RedisAddress } from './redis-url.js';

/** Who has what, as some node has told it. */
interface Topology {
  /** What it was made of: another text is another topology. */
  readonly text: string;
  readonly masters: readonly RedisNode[];
  readonly masterOf: readonly (RedisNode | undefined)[];
}

/**
 * The link to a cluster. It is up while every master is, for its run is made of theirs: a master that was restarted, or whose replica has
 * taken over, is another run of the whole. When a node says that it has not what it had, nothing is known until one was asked again.
 *
 * What is published in a channel is sent to the master that has the channel's slot, and is heard there: a server passes on to its own
 * subscribers at once, to those of other nodes when it can.
 */
export class RedisClusterLink implements RedisLink {
  readonly #means: RedisMeans;
  readonly #nodes = new Map<string, RedisNode>();
  readonly #settled = Promise.withResolvers<void>();
  #topology: Topology | undefined;
  #run: string | undefined;
  #subscription: RedisSubscription | undefined;
  #isClosed = false;
  /** Ends the pause before the nodes are asked again. */
  #hurry: () => void = () => undefined;

  constructor(means: RedisMeans) {
    this.#means = means;
    void this.#follow();
  }

  /** Resolves when the cluster is there, or was not for as long as connecting may take. */
  get tried(): Promise<void> {
    const { connectTimeout, commandTimeout } = this.#means.settings;
    return Promise.race([this.#settled.promise, this.#means.timing.wait(connectTimeout + commandTimeout)]);
  }

  get run(): string | undefined {
    return this.#run;
  }

  get heardUntil(): number {
    return this.#subscription?.heardUntil ?? -Infinity;
  }

  send(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    const [first] = commands;
    const master = first && this.#known()?.masterOf[this.#slotOf(first)];
    return master ? master.send(commands) : Promise.reject(this.#absence());
  }

  async replace(key: string, expected: Expiring, value: Expiring): Promise<boolean> {
    const [answer] = await this.send([replaceCommand(key, expected, value)]);
    return answer === 1;
  }

  async remove(key: string, expected: string): Promise<void> {
    await this.send([removeCommand(key, expected)]);
  }

  async *scan(prefix: string): AsyncGenerator<readonly string[]> {
    const topology = this.#known();
    const run = this.#run;
    if (!topology) throw this.#absence();
    // A slot that has moved may have been looked for at neither place.
    const hasChanged = (): boolean => this.#topology !== topology || this.#run !== run;
    for (const node of topology.masters) {
      for await (const keys of scanServer((commands) => node.send(commands), prefix)) {
        if (hasChanged()) throw this.#absence();
        yield keys;
      }
    }
    if (hasChanged()) throw this.#absence();
  }

  subscribe(channel: string, subscriber: RedisSubscriber): void {
    const source = (): RedisNode | undefined => this.#topology?.masterOf[this.#slotOf(['publish', channel])];
    this.#subscription ??= new RedisSubscription(this.#means, channel, subscriber, source);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#subscription?.close();
    for (const node of this.#nodes.values()) node.close();
    this.#nodes.clear();
    this.#topology = undefined;
    this.#run = undefined;
    this.#hurry();
    return Promise.resolve();
  }

  /** Undefined while the cluster is not up. */
  #known(): Topology | undefined {
    return this.#run === undefined ? undefined : this.#topology;
  }

  #absence(): RedisUnavailableError {
    if (this.#isClosed) return new RedisUnavailableError('the cache was closed');
    const isAway = this.#run === undefined;
    return new RedisUnavailableError(isAway ? 'a part of the cluster is away' : 'the cluster has changed');
  }

  #slotOf([name, ...values]: RedisCommand): number {
    const { Command } = this.#means.library;
    const [key = values[0] ?? ''] = new Command(name, values).getKeys();
    return new Command('get', [key]).getSlot();
  }

  /** Asks who has what with every heartbeat, and more often while the cluster is not up. */
  async #follow(): Promise<void> {
    const { heartbeat, firstProbe } = this.#means.settings;
    while (!this.#isClosed) {
      const pause = Promise.withResolvers<void>();
      this.#hurry = pause.resolve;
      await this.#ask();
      const wait = this.#means.timing.wait(this.#run === undefined ? Math.min(firstProbe, heartbeat) : heartbeat);
      await Promise.race([pause.promise, wait]);
    }
  }

  async #ask(): Promise<void> {
    const isAnyUp = [...this.#nodes.values()].some((node) => node.run !== undefined);
    if (!isAnyUp) for (const address of this.#means.settings.place.addresses) this.#nodeAt(address);
    const nodes = [...this.#nodes.values()].filter((node) => node.run !== undefined);
    // Another one each time: one that was cut off from the rest goes on telling what it knew.
    const start = Math.floor(this.#means.timing.random() * nodes.length);
    for (const node of [...nodes.slice(start), ...nodes.slice(0, start)]) {
      try {
        const [answer] = await node.send([['cluster', 'slots']]);
        if (!this.#isClosed) this.#apply(parseSlots(answer, node.address));
        return;
      } catch {
        // Then the next one is asked, and if there is none, the pause is short.
      }
    }
  }

  #apply(ranges: readonly SlotRange[]): void {
    if (ranges.length === 0) return;
    const text = JSON.stringify(ranges);
    if (text !== this.#topology?.text) {
      const masterOf = Array.from<RedisNode | undefined>({ length: SLOTS });
      for (const { first, last, master } of ranges) masterOf.fill(this.#nodeAt(master), first, last + 1);
      const masters = [...new Set(masterOf.filter((node) => node !== undefined))];
      this.#topology = { text, masters, masterOf };
    }
    for (const [name, node] of this.#nodes) {
      if (this.#topology.masters.includes(node)) continue;
      this.#nodes.delete(name);
      node.close();
    }
    this.#update();
  }

  #nodeAt(address: RedisAddress): RedisNode {
    const name = describeAddress(address);
    const known = this.#nodes.get(name);
    if (known) return known;
    const changed = (): void => {
      this.#update();
      if (this.#run === undefined) this.#hurry();
    };
    const moved = (): void => {
      this.#topology = undefined;
      changed();
    };
    const node = new RedisNode(this.#means, address, { mayFollow: true, changed, moved });
    this.#nodes.set(name, node);
    return node;
  }

  #update(): void {
    const runs = this.#topology?.masters.map(({ run }) => run ?? '') ?? [''];
    const isUp = !runs.includes('');
    this.#run = isUp
      ? createHash('sha256')
          .update(runs.toSorted((a, b) => (a < b ? -1 : 1)).join())
          .digest('hex')
      : undefined;
    if (isUp) this.#settled.resolve();
  }
}
