import { setImmediate as turn } from 'node:timers/promises';
import type { Address } from '../../../src/cache/shared-tier.js';
import { NullTier } from '../../../src/cache/null-tier.js';
import { RedisTier } from '../../../src/cache/redis-tier.js';
import { TieredCache } from '../../../src/cache/tiered-cache.js';
import { FakeTiming } from './fake-timing.js';
import { type Fate, SimulatedClock, SimulatedLink, SimulatedRedis } from './simulated-world.js';

/** The time of a simulated Redis, held in the test's hand. */
class HandClock extends SimulatedClock {
  readonly #timing: FakeTiming;

  constructor(timing: FakeTiming) {
    super(undefined as never);
    this.#timing = timing;
  }

  override get now(): number {
    return this.#timing.now();
  }

  override async turn(): Promise<void> {
    await Promise.resolve();
  }

  override wait(milliseconds: number): Promise<void> {
    return this.#timing.wait(milliseconds);
  }
}

export interface OpenedCache {
  readonly cache: TieredCache;
  /** What the cache was told of tier two. */
  readonly errors: unknown[];
  /** The way to the simulated Redis, where there is one. */
  readonly link: SimulatedLink | undefined;
}

/** Caches of several processes, whose clock stands still until the test moves it on. */
export class Caches {
  readonly timing = new FakeTiming();
  /** What becomes of each call of Redis. */
  fate: Fate = 'answered';
  readonly redis = new SimulatedRedis(new HandClock(this.timing));
  #tokens = 0;

  /** The cache of one more process, over the Redis that they share. */
  open(): OpenedCache {
    const link = new SimulatedLink(this.redis, () => this.fate, { tellsMissed: true, tellsRuns: true });
    const token = (): string => `t${String((this.#tokens += 1))}`;
    const errors: unknown[] = [];
    const shared = new RedisTier(link, { namespace: 'test', token });
    return {
      cache: new TieredCache({ shared, timing: this.timing, onError: (error) => errors.push(error) }),
      errors,
      link,
    };
  }

  /** The cache of a process that shares nothing. */
  openAlone(): OpenedCache {
    const errors: unknown[] = [];
    const shared = new NullTier({ localMaxAge: Infinity });
    return {
      cache: new TieredCache({ shared, timing: this.timing, onError: (error) => errors.push(error) }),
      errors,
      link: undefined,
    };
  }

  /** Lets time pass until a call has ended, and gives what it gives. */
  async ended<T>(call: Promise<T>): Promise<T> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    call.then(end, end);
    await turn();
    while (!ended.signal.aborted) {
      this.timing.advance(1);
      await turn();
    }
    return call;
  }
}

/** Lets everything happen that needs no time. */
export async function settled(): Promise<void> {
  await turn();
  await turn();
}

/** A row of one tenant, which has the tag of all such rows. */
export function row(name: string | number): Address {
  return { key: `{t}:rows:id:${String(name)}`, tags: ['{t}:rows'] };
}

/** A load that the test answers, and what it was asked. */
export class Source<Value> {
  readonly signals: AbortSignal[] = [];
  readonly #answers: PromiseWithResolvers<Value | undefined>[] = [];

  readonly load = (signal: AbortSignal): Promise<Value | undefined> => {
    this.signals.push(signal);
    const answer = Promise.withResolvers<Value | undefined>();
    this.#answers.push(answer);
    return answer.promise;
  };

  get loads(): number {
    return this.#answers.length;
  }

  /** Ends the load of this number, the last one unless given. */
  give(value: Value | undefined, number = this.loads): void {
    this.#answers[number - 1]?.resolve(value);
  }

  fail(error: Error, number = this.loads): void {
    this.#answers[number - 1]?.reject(error);
  }
}
