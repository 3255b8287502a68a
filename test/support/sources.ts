import type { Clock, Random } from '../../src/runtime.js';

/** A clock that a test holds in its hand. */
export interface FakeClock extends Clock {
  advance(milliseconds: number): void;
  set(instant: string): void;
}

/** Stands still at `start`; every reading moves it by `step` milliseconds, which may be negative. */
export function fakeClock({ start = '2026-01-01T12:00:00.000Z', step = 0 } = {}): FakeClock {
  let time = Date.parse(start);
  return {
    now() {
      const instant = new Date(time);
      time += step;
      return instant;
    },
    advance(milliseconds) {
      time += milliseconds;
    },
    set(instant) {
      time = Date.parse(instant);
    },
  };
}

/** The same bytes for the same seed; mulberry32, by Tommy Ettinger. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 24;
  };
  return { bytes: (length) => Uint8Array.from({ length }, next) };
}

/** Whole numbers from 1 to `max`, the same ones for the same seed. */
export function seededNumbers(seed: number): (max: number) => number {
  const random = seededRandom(seed);
  return (max) => {
    const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4);
    return 1 + ((a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) % max);
  };
}
