import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { playHistories } from './support/histories.js';

/** The long tests play 100,000, and plant more faults. */
const RUNS = 1_500;
const SEED = 2;

/** How many histories are played until a fault that was planted must have been found; with this seed, the 97th and the 912th find them. */
const PLANTED_RUNS = 30_000;
/** Of all of those, should a change of the cache move the one that finds it, in milliseconds. */
const PLANTED_TIME = 600_000;

describe('caches of several processes over one Redis, in histories of reads, writes, crashes and failures', () => {
  it(`read nothing that was overwritten or deleted, in ${String(RUNS)} histories`, async () => {
    const details = await playHistories(RUNS, SEED);
    expect(details.failed, await fc.asyncDefaultReportMessage(details)).toBe(false);
  });

  it.each(['no lease check', 'no flush when subscribed again'] as const)(
    'would be seen to do so with a fault: %s',
    async (plant) => {
      const { failed } = await playHistories(PLANTED_RUNS, SEED, plant);
      expect(failed).toBe(true);
    },
    PLANTED_TIME,
  );
});
