import { randomFillSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Configuration, EntityManager } from '@mikro-orm/core';
import { V7Generator } from 'uuidv7';
import { RuleBook } from './entities/rule-book.js';

/** Where the time comes from. */
export interface Clock {
  /** The present instant, with millisecond precision. */
  now(): Date;
}

/** Where random numbers come from. It must be unpredictable outside of tests: API keys are made of it. */
export interface Random {
  /** Returns `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Where identifiers come from. */
export interface IdSource {
  /** Returns a new UUIDv7, greater than every one that this source has returned before. */
  next(): string;
}

/** What a persistence manager takes from the world outside; tests and simulations inject their own at `open`. */
export interface Sources {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
}

/** Where whoever waits takes time from; see `cache/timing.ts`. */
export interface SystemTiming {
  now(): number;
  wallClock(): number;
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
  random(): number;
}

/** The system's own monotonic clock and timers, with the clock and the random numbers of a runtime. */
export function systemTiming({ clock, random }: Pick<Sources, 'clock' | 'random'>): SystemTiming {
  return {
    now: () => performance.now(),
    wallClock: () => clock.now().getTime(),
    async wait(milliseconds, signal) {
      await delay(milliseconds, undefined, { ref: false, ...(signal && { signal }) }).catch(() => undefined);
    },
    random: () => new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32,
  };
}

/**
 * The sources, and the rules that rows are judged by. It travels with the ORM's configuration and is reached from an entity manager
 * with {@link runtimeOf}; nothing in the library reads a clock or makes a random number by itself.
 */
export interface Runtime extends Sources {
  readonly rules: RuleBook;
}

const EXTENSION = 'colloquy/runtime';

/** Random bytes that are asked for at once, for many ids: an array for each four of them takes as long as the rest of an id. */
const RANDOM_AHEAD = 256;

/** UUIDv7 (RFC 9562) over a clock and random bytes; monotonic also when the clock stands still or runs backwards. */
export function createIdSource(clock: Clock, random: Random): IdSource {
  let ahead: DataView = new DataView(new ArrayBuffer(0));
  let used = 0;
  const generator = new V7Generator({
    nextUint32() {
      if (used === ahead.byteLength) {
        const { buffer, byteOffset, byteLength } = random.bytes(RANDOM_AHEAD);
        ahead = new DataView(buffer, byteOffset, byteLength);
        used = 0;
      }
      const word = ahead.getUint32(used);
      used += 4;
      return word;
    },
  });
  let last = 0;
  return {
    next() {
      last = Math.max(last, clock.now().getTime());
      return generator.generateOrResetWithTs(last).toString();
    },
  };
}

/** Fills in what was not injected: the system's clock, the system's random bytes, and ids made of both. */
export function createRuntime(given: Partial<Sources> = {}): Runtime {
  const clock = given.clock ?? { now: () => new Date() };
  const random = given.random ?? bufferedRandom();
  return { clock, random, ids: given.ids ?? createIdSource(clock, random), rules: new RuleBook() };
}

/** One system call for many small requests: ids ask for four bytes at a time. */
function bufferedRandom(): Random {
  const pool = new Uint8Array(4096);
  let used = pool.length;
  return {
    bytes(length) {
      if (length > pool.length) return randomFillSync(new Uint8Array(length));
      if (used + length > pool.length) {
        randomFillSync(pool);
        used = 0;
      }
      const bytes = pool.slice(used, used + length);
      used += length;
      return bytes;
    },
  };
}

export function installRuntime(config: Configuration, runtime: Runtime): void {
  config.registerExtension(EXTENSION, () => runtime);
}

/** The runtime that the entity manager's ORM was opened with; the system's own where MikroORM was set up without Colloquy. */
export function runtimeOf(em: EntityManager): Runtime {
  const installed = em.config.getExtension<Runtime>(EXTENSION);
  if (installed) return installed;
  const runtime = createRuntime();
  installRuntime(em.config, runtime);
  return runtime;
}
