import type { Address, Targets } from './shared-tier.js';

/** One load, and those who wait for it. */
export interface Flight {
  readonly address: Address;
  /** Greater than the numbers of the calls that came before it began. */
  readonly number: number;
  /** Whether its value may be older than an invalidation: then it is given to those who wait, and kept nowhere. */
  isStale: boolean;
  result: Promise<unknown>;
}

/** The loads of one kind of values that are under way in this process. */
export class Flights {
  readonly #joinable = new Map<string, Flight>();
  /** Also those that nobody can join any more. */
  readonly #underWay = new Set<Flight>();
  #count = 0;

  /** A number for a call, greater than those before. */
  next(): number {
    this.#count += 1;
    return this.#count;
  }

  of(key: string): Flight | undefined {
    return this.#joinable.get(key);
  }

  /** Begins a flight that others can join; it has to {@link land}. */
  begin(address: Address): Flight {
    const flight: Flight = { address, number: this.next(), isStale: false, result: Promise.resolve() };
    this.#joinable.set(address.key, flight);
    this.#underWay.add(flight);
    return flight;
  }

  land(flight: Flight): void {
    this.#underWay.delete(flight);
    this.#close(flight);
  }

  /** Whoever comes from now on begins a flight of his own. */
  invalidate({ keys, tags }: Targets): void {
    for (const flight of this.#underWay) {
      const { key, tags: own } = flight.address;
      if (keys.includes(key) || own.some((tag) => tags.includes(tag))) this.#stain(flight);
    }
  }

  invalidateAll(): void {
    for (const flight of this.#underWay) this.#stain(flight);
  }

  #stain(flight: Flight): void {
    flight.isStale = true;
    this.#close(flight);
  }

  #close(flight: Flight): void {
    const { key } = flight.address;
    if (this.#joinable.get(key) === flight) this.#joinable.delete(key);
  }
}
