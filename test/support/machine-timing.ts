import { setTimeout as pause } from 'node:timers/promises';
import type { Timing } from '../../src/cache/timing.js';

/** The machine's own clock, timers and random numbers. */
export const MACHINE_TIMING: Timing = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  wait: (milliseconds) => pause(milliseconds, undefined, { ref: false }),
  random: () => Math.random(),
};
