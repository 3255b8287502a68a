import type { Command } from 'ioredis';
import type { Timing } from './timing.js';

/** Commands that leave in one write, and wait for their answers together: what is counted and timed is they, not each command. */
export class RedisFlight {
  /** When they left, in milliseconds of the clock. */
  readonly since: number;
  readonly commands: Command[] = [];
  /** In how many calls they were given. */
  calls = 0;
  /** How many of them have neither a result nor an error. */
  missing = 0;
  /** Its neighbours among those that wait. */
  older: RedisFlight | undefined;
  newer: RedisFlight | undefined;
  readonly takeResult: (result: unknown) => unknown;
  readonly takeOnlyResult: (result: unknown) => readonly unknown[];
  readonly takeError: (error: unknown) => never;

  constructor(
    since: number,
    onResult: (flight: RedisFlight) => void,
    onError: (flight: RedisFlight, error: unknown) => never,
  ) {
    this.since = since;
    this.takeResult = (result) => {
      this.missing -= 1;
      onResult(this);
      return result;
    };
    this.takeOnlyResult = (result) => {
      this.missing -= 1;
      onResult(this);
      return [result];
    };
    this.takeError = (error) => {
      this.missing -= 1;
      return onError(this, error);
    };
  }

  /** Ends those that wait still; one that has its result keeps it. */
  fail(error: Error): void {
    for (const command of this.commands) command.reject(error);
  }
}

/**
 * The flights over one connection that are not complete, the oldest first. One timer serves them all, for each has the same limit. They
 * are a list, not a Set; see `Flights`.
 */
export class RedisFlights {
  readonly #limit: number;
  readonly #timing: Timing;
  readonly #expired: (flight: RedisFlight) => void;
  #oldest: RedisFlight | undefined;
  #newest: RedisFlight | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param limit How long a flight waits for its answers, in milliseconds. */
  constructor(limit: number, timing: Timing, expired: (flight: RedisFlight) => void) {
    this.#limit = limit;
    this.#timing = timing;
    this.#expired = expired;
  }

  get areNone(): boolean {
    return this.#oldest === undefined;
  }

  add(flight: RedisFlight): void {
    flight.older = this.#newest;
    if (flight.older) flight.older.newer = flight;
    else this.#oldest = flight;
    this.#newest = flight;
    this.#timer ??= this.#watch(this.#limit);
  }

  delete(flight: RedisFlight): void {
    const { older, newer } = flight;
    if (older) older.newer = newer;
    else if (this.#oldest === flight) this.#oldest = newer;
    if (newer) newer.older = older;
    else if (this.#newest === flight) this.#newest = older;
    flight.older = undefined;
    flight.newer = undefined;
  }

  /** Ends all of them. */
  fail(error: Error): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let flight = this.#oldest; flight; flight = this.#oldest) {
      this.delete(flight);
      flight.fail(error);
    }
  }

  #watch(milliseconds: number): NodeJS.Timeout {
    // After a process was busy for long, timers fire before sockets are read: answers that have come are heard first.
    return setTimeout(() => setImmediate(() => this.#expire()), Math.ceil(milliseconds)).unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#timing.now();
    for (let flight = this.#oldest; flight; flight = this.#oldest) {
      const left = flight.since + this.#limit - now;
      if (left > 0) {
        this.#timer ??= this.#watch(left);
        return;
      }
      this.delete(flight);
      this.#expired(flight);
    }
  }
}
