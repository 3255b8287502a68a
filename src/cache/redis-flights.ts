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

/** The flights over one connection that are not complete, the oldest first. One timer serves them all, for each has the same limit. */
export class RedisFlights {
  readonly #limit: number;
  readonly #timing: Timing;
  readonly #expired: (flight: RedisFlight) => void;
  readonly #flights = new Set<RedisFlight>();
  #timer: NodeJS.Timeout | undefined;

  /** @param limit How long a flight waits for its answers, in milliseconds. */
  constructor(limit: number, timing: Timing, expired: (flight: RedisFlight) => void) {
    this.#limit = limit;
    this.#timing = timing;
    this.#expired = expired;
  }

  add(flight: RedisFlight): void {
    this.#flights.add(flight);
    this.#timer ??= this.#watch(this.#limit);
  }

  delete(flight: RedisFlight): void {
    this.#flights.delete(flight);
  }

  /** Ends all of them. */
  fail(error: Error): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const flight of this.#flights) flight.fail(error);
    this.#flights.clear();
  }

  #watch(milliseconds: number): NodeJS.Timeout {
    // After a process was busy for long, timers fire before sockets are read: answers that have come are heard first.
    return setTimeout(() => setImmediate(() => this.#expire()), Math.ceil(milliseconds)).unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#timing.now();
    for (const flight of this.#flights) {
      const left = flight.since + this.#limit - now;
      if (left > 0) {
        this.#timer ??= this.#watch(left);
        return;
      }
      this.#flights.delete(flight);
      this.#expired(flight);
    }
  }
}
