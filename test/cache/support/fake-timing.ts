import type { Timing } from '../../../src/cache/timing.js';

/** A clock that stands still until it is told to go on. */
export class FakeTiming implements Pick<Timing, 'now' | 'wallClock'> {
  #now = 1_000;

  now(): number {
    return this.#now;
  }

  wallClock(): number {
    return 1_700_000_000_000 + this.#now;
  }

  /** @param milliseconds Not below 0. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
