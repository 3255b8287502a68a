import { type CacheContext, Fetcher, type Load } from './fetcher.js';
import { Flights } from './flights.js';
import { LoadBatch } from './load-batch.js';
import { type LocalEntry, LocalTier } from './local-tier.js';
import type { ResolvedPolicy } from './policy.js';
import { RegionCounters, type RegionStatistics } from './region-counters.js';
import type { Address, Targets } from './shared-tier.js';

/**
 * The values of one kind, under one policy.
 *
 * A read that this process's memory cannot answer begins a flight: it looks into tier two, takes a lease there, loads, and stores
 * under the lease. Others who want the same wait for it. Whatever is invalidated meanwhile takes the flight's right to be kept, in this
 * process at once, elsewhere with the lease; those who come after that begin a flight of their own.
 */
export class Region<Value = unknown> {
  readonly #policy: ResolvedPolicy;
  readonly #context: CacheContext;
  readonly #local: LocalTier;
  readonly #flights = new Flights();
  readonly #counters = new RegionCounters();
  readonly #fetcher: Fetcher;
  /** Whether tier one can answer without a look at tier two, and a flight those who came after it began. */
  readonly #trustsLocal: boolean;

  constructor(policy: ResolvedPolicy, context: CacheContext) {
    this.#policy = policy;
    this.#context = context;
    this.#local = new LocalTier(policy.eviction, policy, context.timing);
    this.#fetcher = new Fetcher(context, { policy, local: this.#local, counters: this.#counters });
    this.#trustsLocal = policy.consistency === 'eventual' || context.shared.isExact;
  }

  /**
   * The value at an address, loaded where nobody has it; undefined where there is none. It is shared by all who read it, and frozen: who
   * wants to change it copies it.
   *
   * @throws what `load` throws, LoadTimeoutError.
   */
  getOrLoad(address: Address, load: Load<Value>): Promise<Value | undefined> {
    try {
      const hit = this.#hit(address.key);
      const value = hit ? Promise.resolve(hit.value) : this.#get(address, load, nothing);
      return value as Promise<Value | undefined>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What the memory of this process answers a read with; undefined where it has to look further, or knows that there is nothing. */
  peek(key: string): Value | undefined {
    return this.#hit(key)?.value as Value | undefined;
  }

  /**
   * The values at several addresses, by the same names; those that nobody has are loaded together. What there is none of is left out.
   *
   * @param loadMany Gets the names of those that are to be loaded, and leaves out what there is none of.
   * @throws what `loadMany` throws, LoadTimeoutError.
   */
  async getManyOrLoad<Name>(
    addresses: ReadonlyMap<Name, Address>,
    loadMany: (names: readonly Name[], signal: AbortSignal) => Promise<ReadonlyMap<Name, Value>>,
  ): Promise<Map<Name, Value>> {
    const batch = new LoadBatch(addresses.size, loadMany);
    const values = await Promise.all(
      [...addresses].map(async ([name, address]): Promise<[Name, Value | undefined]> => {
        const { load, decided } = batch.member(name);
        try {
          const hit = this.#hit(address.key);
          return [name, (hit ? hit.value : await this.#get(address, load, decided)) as Value | undefined];
        } finally {
          decided();
        }
      }),
    );
    return new Map(values.filter((each): each is [Name, Value] => each[1] !== undefined));
  }

  /** Forgets what this process keeps of the targets, and what it is loading. */
  drop(targets: Targets): void {
    for (const key of targets.keys) this.#local.delete(key);
    for (const tag of targets.tags) this.#local.deleteTagged(tag);
    this.#flights.invalidate(targets);
  }

  dropAll(): void {
    this.#local.clear();
    this.#flights.invalidateAll();
  }

  statistics(): RegionStatistics {
    const { evictions, size, bytes } = this.#local;
    return this.#counters.statistics({ evictions, entries: size, bytes });
  }

  #hit(key: string): LocalEntry | undefined {
    if (!this.#trustsLocal) return undefined;
    const { shared, timing, bound } = this.#context;
    // Having a look at what others did may drop the entry.
    const hearsUntil = shared.heardUntil + bound;
    const entry = this.#local.get(key);
    if (entry === undefined) return undefined;
    const now = timing.now();
    if (now >= entry.freshUntil || now >= hearsUntil) return undefined;
    this.#counters.localHits += 1;
    return entry;
  }

  #get(address: Address, load: Load<unknown>, waits: () => void): Promise<unknown> {
    if (this.#policy.consistency === 'none') return load(new AbortController().signal);
    const number = this.#flights.next();
    // Most reads find nobody who wants the same.
    return this.#flights.of(address.key) ? this.#join(number, address, load, waits) : this.#begin(address, load, waits);
  }

  #begin(address: Address, load: Load<unknown>, waits: () => void): Promise<unknown> {
    const flight = this.#flights.begin(address);
    flight.result = this.#fetcher.fetch(flight, load, waits, () => this.#flights.land(flight));
    return flight.result;
  }

  async #join(number: number, address: Address, load: Load<unknown>, waits: () => void): Promise<unknown> {
    for (;;) {
      const known = this.#flights.of(address.key);
      if (!known) return this.#begin(address, load, waits);
      this.#counters.waits += 1;
      waits();
      const stale = this.#policy.staleWhileLoading ? this.#fetcher.staleOf(address.key) : undefined;
      if (stale) {
        this.#counters.staleServes += 1;
        return stale.value;
      }
      // One that began before this call may have read what was overwritten since, by another process.
      if (this.#trustsLocal || known.number > number) return known.result;
      await known.result.catch(() => undefined);
    }
  }
}

function nothing(): void {
  // Nobody wants to know.
}
