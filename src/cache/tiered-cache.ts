import type { CacheContext } from './fetcher.js';
import { Ledger } from './ledger.js';
import type { LocalLimits } from './local-tier.js';
import { type CachePolicy, resolvePolicy } from './policy.js';
import { Region } from './region.js';
import { Serializer } from './serializer.js';
import type { RegionStatistics } from './region-counters.js';
import type { SharedTier, Targets } from './shared-tier.js';
import type { Timing } from './timing.js';
import { ValueStore } from './value-store.js';

/** For how long what a process keeps is served without a sign of life of tier two, in milliseconds. */
const BOUND = 2_000;
/** How long a value can be in tier two under `strong`, in milliseconds. */
const STRONG_LEASE = 1_000;
/** How long a write waits under `strong` while tier two is away: the clocks of two machines differ a little in speed. */
const STRONG_WAIT = 1.1 * STRONG_LEASE;
/** How often a process says how it does, in milliseconds. */
const REPORT_PAUSE = 5_000;
/** How long `close` waits for invalidations to be confirmed, in milliseconds. */
const CLOSING_WAIT = 1_000;

export interface TieredCacheOptions {
  readonly shared: SharedTier;
  readonly timing: Timing;
  /** Hears of every failure of tier two, and of entries that nobody here could have written. */
  readonly onError?: (error: unknown) => void;
}

export interface CacheStatistics {
  /** Whether tier two can be reached now. */
  readonly isUp: boolean;
  /** Invalidations that tier two has not confirmed; Infinity stands for everything. */
  readonly unconfirmed: number;
  readonly regions: Readonly<Record<string, RegionStatistics>>;
}

/** The cache of one process: its kinds of values over one tier two. */
export class TieredCache {
  readonly #context: CacheContext;
  readonly #regions = new Map<string, Region>();
  readonly #stores: ValueStore[] = [];
  readonly #closed = new AbortController();

  constructor({ shared, timing, onError = () => undefined }: TieredCacheOptions) {
    const ledger = new Ledger(shared, timing, onError);
    this.#context = {
      shared,
      ledger,
      timing,
      onError,
      serializer: new Serializer(),
      bound: BOUND,
      strongLease: STRONG_LEASE,
    };
    shared.subscribe({
      invalidated: (targets) => this.#drop(targets),
      missed: () => this.#dropAll(),
    });
  }

  /** Says now and then how this process does, until it is closed. */
  async report(name: string): Promise<void> {
    const { shared, timing, onError } = this.#context;
    while (!this.#closed.signal.aborted) {
      if (shared.isUp) await shared.report(JSON.stringify({ name, ...this.statistics() })).catch(onError);
      await timing.wait(REPORT_PAUSE, this.#closed.signal);
    }
  }

  /** Tier two itself. */
  get shared(): SharedTier {
    return this.#context.shared;
  }

  /**
   * Adds a kind of values.
   *
   * @throws TypeError when the name is taken or the policy is wrong.
   */
  region<Value>(name: string, policy: CachePolicy = {}): Region<Value> {
    const problems: string[] = this.#regions.has(name) ? [`there is a region ${name} already`] : [];
    const resolved = resolvePolicy(policy, name, problems);
    if (problems.length > 0) throw new TypeError(problems.join('; '));
    const region = new Region<Value>(resolved, this.#context);
    this.#regions.set(name, region);
    return region;
  }

  /** Adds values that somebody else loads. */
  store(limits: LocalLimits): ValueStore {
    const store = new ValueStore(limits, this.#context);
    this.#stores.push(store);
    return store;
  }

  /**
   * Says that these are no longer true, after they have been written. From the moment of the call no read of this process gives what was
   * before; the promise resolves when tier two has confirmed, and never rejects: what it does not confirm is sent again until it does.
   */
  invalidate(targets: Targets): Promise<void> {
    this.#drop(targets);
    return this.#context.ledger.add(targets);
  }

  /** As {@link invalidate}, but resolves at the latest when nothing older can be in tier two under `strong`. */
  async invalidateStrong(targets: Targets): Promise<void> {
    await this.settled(this.invalidate(targets));
  }

  /** Resolves when an invalidation is confirmed, and at the latest when nothing older can be in tier two under `strong`. */
  async settled(confirmed: Promise<void>): Promise<void> {
    const { timing } = this.#context;
    const ended = new AbortController();
    await Promise.race([confirmed, timing.wait(STRONG_WAIT, ended.signal)]);
    ended.abort();
  }

  /** Forgets everything, in all processes; resolves when tier two has confirmed. */
  clear(): Promise<void> {
    this.#dropAll();
    return this.#context.ledger.addEverything();
  }

  statistics(): CacheStatistics {
    const regions = [...this.#regions].map(([name, region]) => [name, region.statistics()] as const);
    const { shared, ledger } = this.#context;
    return { isUp: shared.isUp, unconfirmed: ledger.size, regions: Object.fromEntries(regions) };
  }

  /** Closes tier two, when it has confirmed what is to be invalidated or a second has passed. */
  async close(): Promise<void> {
    const { ledger, shared, timing, onError } = this.#context;
    this.#closed.abort();
    const ended = new AbortController();
    if (ledger.size > 0) await Promise.race([ledger.settled(), timing.wait(CLOSING_WAIT, ended.signal)]);
    ended.abort();
    ledger.close();
    this.#dropAll();
    if (shared.isUp) await shared.report(undefined).catch(onError);
    await shared.close();
  }

  #drop(targets: Targets): void {
    for (const region of this.#regions.values()) region.drop(targets);
    for (const store of this.#stores) store.drop(targets);
  }

  #dropAll(): void {
    for (const region of this.#regions.values()) region.dropAll();
    for (const store of this.#stores) store.dropAll();
  }
}
