import type { Address, SharedTier, Targets } from './shared-tier.js';
import type { Timing } from './timing.js';

/** How many targets are remembered one by one; when there are more, everything is meant. */
const TARGETS_MAX = 10_000;
/** How many go to tier two at once. */
const SENT_AT_ONCE = 1_000;
/** The waits before tier two is asked again, in milliseconds: the first, and the longest. */
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1_000;

type Kind = 'keys' | 'tags';

interface Round {
  readonly done: Promise<void>;
  readonly end: () => void;
}

/**
 * What is to be invalidated and has not been confirmed by tier two. Until it is, this process reads it as a miss; it is sent again and
 * again, and what comes meanwhile goes with the next round, so that many writes at once cost a few commands.
 */
export class Ledger {
  readonly #shared: SharedTier;
  readonly #timing: Timing;
  readonly #onError: (error: unknown) => void;
  /** The number of the invalidation that a target was last in. */
  readonly #pending = { keys: new Map<string, number>(), tags: new Map<string, number>() };
  #everything: number | undefined;
  #count = 0;
  #next: Round | undefined;
  #isSending = false;
  #isClosed = false;

  constructor(shared: SharedTier, timing: Timing, onError: (error: unknown) => void) {
    this.#shared = shared;
    this.#timing = timing;
    this.#onError = onError;
  }

  /** How many targets wait; Infinity where everything does. */
  get size(): number {
    return this.#everything === undefined ? this.#pending.keys.size + this.#pending.tags.size : Infinity;
  }

  has({ key, tags }: Address): boolean {
    if (this.#everything !== undefined) return true;
    if (this.#pending.keys.size + this.#pending.tags.size === 0) return false;
    return this.#pending.keys.has(key) || tags.some((tag) => this.#pending.tags.has(tag));
  }

  /** Takes targets up at once, and resolves when tier two has confirmed them, however long that takes. */
  add({ keys, tags }: Targets): Promise<void> {
    // There would be no round whose end anybody could wait for.
    if (keys.length + tags.length === 0) return Promise.resolve();
    this.#count += 1;
    for (const key of keys) this.#pending.keys.set(key, this.#count);
    for (const tag of tags) this.#pending.tags.set(tag, this.#count);
    if (this.#pending.keys.size + this.#pending.tags.size > TARGETS_MAX) return this.addEverything();
    return this.#sent();
  }

  addEverything(): Promise<void> {
    this.#count += 1;
    this.#everything = this.#count;
    this.#pending.keys.clear();
    this.#pending.tags.clear();
    return this.#sent();
  }

  /** Resolves when tier two has confirmed all that waits now. */
  async settled(): Promise<void> {
    if (this.size > 0) await this.#sent();
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#next?.end();
  }

  #sent(): Promise<void> {
    this.#next ??= newRound();
    const { done } = this.#next;
    if (!this.#isSending) void this.#send();
    return done;
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    // Whoever else writes in this turn of the event loop is in time for the first round.
    await Promise.resolve();
    let wait = FIRST_WAIT;
    while (!this.#isClosed && this.size > 0) {
      const round = this.#next;
      this.#next = undefined;
      try {
        await this.#sendRound();
        round?.end();
        wait = FIRST_WAIT;
      } catch (error) {
        this.#onError(error);
        // Those of this round wait with those who have come since.
        this.#next = joined(round, this.#next);
        await this.#timing.wait(wait * (0.5 + this.#timing.random() / 2));
        wait = Math.min(wait * 2, LONGEST_WAIT);
      }
    }
    this.#isSending = false;
    if (this.#isClosed) this.#next?.end();
  }

  /** Sends what waits now, and forgets it unless it was invalidated once more meanwhile. */
  async #sendRound(): Promise<void> {
    const upTo = this.#count;
    if (this.#everything !== undefined) {
      await this.#shared.clear();
      if (this.#everything <= upTo) this.#everything = undefined;
    }
    while (true) {
      const keys = this.#waiting('keys', upTo);
      const tags = this.#waiting('tags', upTo);
      if (keys.length + tags.length === 0) return;
      await this.#shared.invalidate({ keys, tags });
      this.#forget('keys', keys, upTo);
      this.#forget('tags', tags, upTo);
    }
  }

  #waiting(kind: Kind, upTo: number): string[] {
    const waiting: string[] = [];
    for (const [target, number] of this.#pending[kind]) {
      if (number <= upTo && waiting.push(target) === SENT_AT_ONCE) break;
    }
    return waiting;
  }

  #forget(kind: Kind, targets: readonly string[], upTo: number): void {
    const pending = this.#pending[kind];
    for (const target of targets) {
      if ((pending.get(target) ?? Infinity) <= upTo) pending.delete(target);
    }
  }
}

function newRound(): Round {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { done: promise, end: resolve };
}

function joined(first: Round | undefined, second: Round | undefined): Round | undefined {
  if (!first || !second) return first ?? second;
  return {
    done: second.done,
    end() {
      first.end();
      second.end();
    },
  };
}
