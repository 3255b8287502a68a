import type { Timing } from '../../../src/cache/timing.js';

interface Waiting {
  readonly due: number;
  readonly end: () => void;
}

/** A clock that stands still until it is told to go on; then the timers that are due fire. */
export class FakeTiming implements Timing {
  /** What {@link random} gives. */
  chance = 0.5;
  #now = 1_000;
  readonly #waiting = new Set<Waiting>();

  now(): number {
    return this.#now;
  }

  wallClock(): number {
    return 1_700_000_000_000 + this.#now;
  }

  random(): number {
    return this.chance;
  }

  async wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { due: this.#now + milliseconds, end: resolve };
    this.#waiting.add(waiting);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#waiting.delete(waiting);
  }

  /** @param milliseconds Not below 0. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
    for (const { due, end } of this.#waiting) if (due <= this.#now) end();
  }
}
