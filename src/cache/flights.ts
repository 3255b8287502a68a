import type { Address, Targets } from './shared-tier.js';

/** One load, and those who wait for it. */
export interface Flight {
  readonly address: Address;
  /** Greater than the numbers of the calls that came before it began. */
  readonly number: number;
  /** Whether its value may be older than an invalidation: then it is given to those who wait, and kept nowhere. */
  isStale: boolean;
  result: Promise<unknown>;
  /** Its neighbours among those that are under way. */
  older: Flight | undefined;
  newer: Flight | undefined;
  /** The next of those whose keys have the same hash. */
  next: Flight | undefined;
}

const LANDED = Promise.resolve();

/**
 * The loads of one kind of values that are under way in this process.
 *
 * A Map or a Set that is filled and emptied all the time gets a new table again and again; an old one that the garbage collector has
 * once taken for long-lived keeps all that come after it, and what was in them, until all memory is gone through. So those under way are
 * a list, and those that can be joined lie in a table whose size is fixed.
 */
export class Flights {
  readonly #joinable = Array.from({ length: BUCKETS }, (): Flight | undefined => undefined);
  /** Also those that nobody can join any more. */
  #newest: Flight | undefined;
  #count = 0;

  /** A number for a call, greater than those before. */
  next(): number {
    this.#count += 1;
    return this.#count;
  }

  of(key: string): Flight | undefined {
    let flight = this.#joinable[bucketOf(key)];
    while (flight && flight.address.key !== key) flight = flight.next;
    return flight;
  }

  /** Begins a flight that others can join; it has to {@link land}. */
  begin(address: Address): Flight {
    const older = this.#newest;
    const bucket = bucketOf(address.key);
    const flight: Flight = {
      address,
      number: this.next(),
      isStale: false,
      result: LANDED,
      older,
      newer: undefined,
      next: this.#joinable[bucket],
    };
    this.#joinable[bucket] = flight;
    if (older) older.newer = flight;
    this.#newest = flight;
    return flight;
  }

  land(flight: Flight): void {
    const { older, newer } = flight;
    if (newer) newer.older = older;
    else if (this.#newest === flight) this.#newest = older;
    if (older) older.newer = newer;
    flight.older = undefined;
    flight.newer = undefined;
    this.#close(flight);
  }

  /** Whoever comes from now on begins a flight of his own. */
  invalidate({ keys, tags }: Targets): void {
    for (let flight = this.#newest; flight; flight = flight.older) {
      const { key, tags: own } = flight.address;
      if (keys.includes(key) || own.some((tag) => tags.includes(tag))) this.#stain(flight);
    }
  }

  invalidateAll(): void {
    for (let flight = this.#newest; flight; flight = flight.older) this.#stain(flight);
  }

  #stain(flight: Flight): void {
    flight.isStale = true;
    this.#close(flight);
  }

  #close(flight: Flight): void {
    const bucket = bucketOf(flight.address.key);
    let before = this.#joinable[bucket];
    if (before === flight) this.#joinable[bucket] = flight.next;
    else {
      while (before && before.next !== flight) before = before.next;
      if (before) before.next = flight.next;
    }
    flight.next = undefined;
  }
}

const BUCKETS = 256;
/** So many characters make a hash, from all over the key: what is an id there is more than a tenth of it. */
const SAMPLES = 16;

function bucketOf(key: string): number {
  const step = Math.ceil(key.length / SAMPLES) || 1;
  let hash = key.length;
  for (let place = key.length - 1; place >= 0; place -= step) hash = (hash * 31 + key.charCodeAt(place)) | 0;
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (BUCKETS - 1);
}
