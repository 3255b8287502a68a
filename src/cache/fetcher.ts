import { type Envelope, seal, unseal } from './envelope.js';
import type { Flight } from './flights.js';
import type { Ledger } from './ledger.js';
import { LoadTimeoutError } from './load-timeout-error.js';
import type { LocalTier } from './local-tier.js';
import { freezeDeep, sizeOf } from './plain-data.js';
import type { ResolvedPolicy } from './policy.js';
import { record, type RegionCounters } from './region-counters.js';
import type { Serializer } from './serializer.js';
import { ForeignEntryError, NotSerializableError } from './serializer-errors.js';
import type { Found, Lease, SharedTier } from './shared-tier.js';
import type { Timing } from './timing.js';

/** How long a lease is, in milliseconds: a load that takes longer is not stored. */
const LEASE = 5_000;
/** How long a read waits for another process's load before it loads by itself, in milliseconds. */
const LONGEST_WAIT = 500;
/** The pause between two looks at another's lease, in milliseconds: the first, and the longest. */
const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 25;

/** How much a time to live differs from what the policy says, at most. */
const JITTER = 0.1;

/** Gives undefined where there is nothing. */
export type Load<Value> = (signal: AbortSignal) => Promise<Value | undefined>;

/** What the kinds of values of one cache share. */
export interface CacheContext {
  readonly shared: SharedTier;
  readonly ledger: Ledger;
  readonly timing: Timing;
  readonly serializer: Serializer;
  /** For how long without a sign of life what others did is taken as heard, in milliseconds. */
  readonly bound: number;
  /** How long a value can be in tier two under `strong`, from when its load began, in milliseconds. */
  readonly strongLease: number;
  readonly onError: (error: unknown) => void;
}

/** A value that is no longer fresh, for when nothing newer can be had. */
export interface Stale extends Envelope {
  /** Whether it has to be put back into tier two when the load fails. */
  readonly isShared: boolean;
}

type LookedUp =
  | { readonly value: unknown; readonly isStale: boolean }
  | { readonly lease: Lease | undefined; readonly stale: Stale | undefined };

/** What a fetcher works with, beside what all kinds of values share. */
export interface FetcherParts {
  readonly policy: ResolvedPolicy;
  readonly local: LocalTier;
  readonly counters: RegionCounters;
}

/** Answers the flights of one kind of values: from tier two, or by a load whose value it keeps under a lease. */
export class Fetcher {
  readonly #context: CacheContext;
  readonly #policy: ResolvedPolicy;
  readonly #local: LocalTier;
  readonly #counters: RegionCounters;

  constructor(context: CacheContext, { policy, local, counters }: FetcherParts) {
    this.#context = context;
    this.#policy = policy;
    this.#local = local;
    this.#counters = counters;
  }

  /** What this process keeps beyond its time, if the policy lets it. */
  staleOf(key: string): Stale | undefined {
    const { timing, shared, bound } = this.#context;
    const entry = this.#policy.grace > 0 ? this.#local.get(key) : undefined;
    if (!entry || timing.now() >= shared.heardUntil + bound) return undefined;
    const freshUntil = timing.wallClock() + entry.freshUntil - timing.now();
    return { value: entry.value, freshUntil, isShared: false };
  }

  /**
   * The value of a flight's address. `waits` is called when it waits for another process; `landed` when nothing is under way any more,
   * which may be after the value is given.
   */
  async fetch(flight: Flight, load: Load<unknown>, waits: () => void, landed: () => void): Promise<unknown> {
    let isLanding = true;
    try {
      const began = this.#context.timing.now();
      const found = await this.#lookUp(flight, waits);
      if ('value' in found) {
        if (found.isStale) this.#counters.staleServes += 1;
        return found.value;
      }
      this.#counters.misses += 1;
      const loaded = this.#load(load).then(
        async (value) => this.#keep(flight, value, began, found.lease),
        async (error: unknown) => this.#instead(error, found),
      );
      const { stale } = found;
      const { softTimeout } = this.#policy;
      if (!stale || softTimeout === Infinity) return await loaded;
      isLanding = false;
      const ended = new AbortController();
      const land = (): void => {
        ended.abort();
        landed();
      };
      loaded.then(land, land);
      const isLate = this.#context.timing.wait(softTimeout, ended.signal).then(() => true);
      if (!(await Promise.race([loaded.then(() => false), isLate]))) return await loaded;
      this.#counters.staleServes += 1;
      return stale.value;
    } finally {
      if (isLanding) landed();
    }
  }

  /** What tier two has, or the lease to load it; neither where it is of no use now. */
  async #lookUp(flight: Flight, waits: () => void): Promise<LookedUp> {
    const { address } = flight;
    const { shared, ledger, timing } = this.#context;
    let stale = this.staleOf(address.key);
    if (!shared.isUp || ledger.has(address)) return { lease: undefined, stale };
    const began = timing.now();
    try {
      let found: Found | Lease = await shared.read(address);
      let instead: string | undefined;
      for (let pause = 0; ; found = await shared.acquire(address, LEASE, instead)) {
        if (found.kind === 'lease') return { lease: found, stale };
        if (found.kind === 'value') {
          const envelope = this.#open(flight, found);
          if (envelope && this.#isFresh(envelope)) return { value: envelope.value, isStale: false };
          if (envelope && this.#policy.grace > 0) stale = { ...envelope, isShared: true };
          instead = found.version;
        }
        if (found.kind !== 'leased') continue;
        if (pause === 0) this.#counters.waits += 1;
        waits();
        if (stale && this.#policy.staleWhileLoading) return { value: stale.value, isStale: true };
        if (timing.now() - began > LONGEST_WAIT) return { lease: undefined, stale };
        pause = Math.min(pause * 2 || FIRST_PAUSE, LONGEST_PAUSE);
        await timing.wait(pause);
      }
    } catch (error) {
      this.#failed(error);
      return { lease: undefined, stale };
    } finally {
      record(this.#counters.shared, timing.now() - began);
    }
  }

  /** What tier two has as a value, which this process keeps from now on; undefined for what nobody here could have written. */
  #open({ address, isStale }: Flight, { text, version }: Extract<Found, { kind: 'value' }>): Envelope | undefined {
    const { timing } = this.#context;
    const known = this.#local.get(address.key);
    const offset = timing.wallClock() - timing.now();
    if (known?.version === version) {
      this.#counters.localHits += 1;
      return { value: known.value, freshUntil: known.freshUntil + offset };
    }
    try {
      const envelope = unseal(text, this.#context.serializer);
      freezeDeep(envelope.value);
      if (!isStale) this.#keepLocally(address, envelope.value, version, envelope.freshUntil - offset, text.length * 2);
      this.#counters.sharedHits += 1;
      return envelope;
    } catch (error) {
      if (!(error instanceof ForeignEntryError)) throw error;
      this.#counters.foreignEntries += 1;
      this.#context.onError(error);
      return undefined;
    }
  }

  #isFresh({ freshUntil }: Envelope): boolean {
    return this.#context.timing.wallClock() < freshUntil;
  }

  async #load(load: Load<unknown>): Promise<unknown> {
    const { timing } = this.#context;
    const { hardTimeout } = this.#policy;
    const began = timing.now();
    this.#counters.loads += 1;
    const abort = new AbortController();
    const ended = new AbortController();
    const giveUp = async (): Promise<never> => {
      await timing.wait(hardTimeout, ended.signal);
      const error = new LoadTimeoutError(hardTimeout);
      if (!ended.signal.aborted) abort.abort(error);
      throw error;
    };
    try {
      const loading = load(abort.signal);
      return await (hardTimeout === Infinity ? loading : Promise.race([loading, giveUp()]));
    } catch (error) {
      this.#counters.failedLoads += 1;
      throw error;
    } finally {
      ended.abort();
      record(this.#counters.load, timing.now() - began);
    }
  }

  /** Keeps what was loaded, unless it was invalidated since. */
  async #keep(flight: Flight, value: unknown, began: number, lease: Lease | undefined): Promise<unknown> {
    const { shared, timing, strongLease, serializer } = this.#context;
    const { address } = flight;
    freezeDeep(value);
    const life = this.#lifeOf(value);
    const now = timing.now();
    const inShared = value === undefined ? life : life + this.#policy.grace;
    // It may be there no longer than a write would wait for what it cannot take away.
    const sharedLife = this.#policy.consistency === 'strong' ? Math.min(inShared, strongLease) : inShared;
    let version: string | undefined;
    try {
      if (lease && sharedLife > 0) {
        const freshUntil = timing.wallClock() + life;
        version = await shared.store(lease, () => seal({ value, freshUntil }, serializer), sharedLife);
      } else if (lease) await shared.release(lease);
    } catch (error) {
      this.#failed(error);
      // Others would wait for what never comes.
      if (lease && error instanceof NotSerializableError) {
        await shared.release(lease).catch((outage: unknown) => this.#failed(outage));
      }
    }
    if (version === undefined || flight.isStale) return value;
    this.#keepLocally(address, value, version, Math.min(now + life, began + shared.localMaxAge), sizeOf(value));
    return value;
  }

  #keepLocally(
    { key, tags }: Flight['address'],
    value: unknown,
    version: string,
    freshUntil: number,
    bytes: number,
  ): void {
    const keepUntil = value === undefined ? freshUntil : freshUntil + this.#policy.grace;
    this.#local.set(key, { value, version, tags, bytes, freshUntil, keepUntil });
  }

  #lifeOf(value: unknown): number {
    const { timeToLive, negativeTimeToLive } = this.#policy;
    const life = value === undefined ? negativeTimeToLive : timeToLive;
    return life * (1 + JITTER * (2 * this.#context.timing.random() - 1));
  }

  /** What there is when a load has failed; what tier two had is there again for the others. */
  async #instead(error: unknown, { lease, stale }: Extract<LookedUp, { lease: unknown }>): Promise<unknown> {
    const { shared, timing, serializer } = this.#context;
    const left = stale ? stale.freshUntil + this.#policy.grace - timing.wallClock() : 0;
    try {
      if (lease && stale?.isShared && left > 0) await shared.store(lease, () => seal(stale, serializer), left);
      else if (lease) await shared.release(lease);
    } catch (outage) {
      this.#failed(outage);
    }
    if (!stale || left <= 0) throw error;
    this.#counters.staleServes += 1;
    return stale.value;
  }

  #failed(error: unknown): void {
    this.#counters.errors += 1;
    this.#context.onError(error);
  }
}
