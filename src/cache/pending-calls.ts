import type { Timing } from './timing.js';

/** A call that waits for an answer. */
export interface PendingCall {
  /** When it was made, in milliseconds of the clock. */
  readonly since: number;
  fail(reason: string, cause?: unknown): void;
}

/** The calls over one connection that have no answer yet, the oldest first. One timer serves them all: each call has the same limit. */
export class PendingCalls {
  readonly #limit: number;
  readonly #timing: Timing;
  readonly #calls = new Set<PendingCall>();
  #timer: NodeJS.Timeout | undefined;

  /** @param limit How long a call waits, in milliseconds. */
  constructor(limit: number, timing: Timing) {
    this.#limit = limit;
    this.#timing = timing;
  }

  add(call: PendingCall): void {
    this.#calls.add(call);
    this.#timer ??= this.#watch(this.#limit);
  }

  delete(call: PendingCall): void {
    this.#calls.delete(call);
  }

  /** Fails every call, and waits for none any more. */
  failAll(reason: string, cause?: unknown): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const call of this.#calls) call.fail(reason, cause);
    this.#calls.clear();
  }

  #watch(milliseconds: number): NodeJS.Timeout {
    // After a process was busy for long, timers fire before sockets are read: answers that have come are heard first.
    return setTimeout(() => setImmediate(() => this.#expire()), Math.ceil(milliseconds)).unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#timing.now();
    for (const call of this.#calls) {
      const left = call.since + this.#limit - now;
      if (left > 0) {
        this.#timer ??= this.#watch(left);
        return;
      }
      this.#calls.delete(call);
      call.fail(`it gave no answer within ${String(this.#limit)} ms`);
    }
  }
}
