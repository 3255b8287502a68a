import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { playHistories } from '../cache/support/histories.js';
import { say } from '../support/say.js';

const RUNS = 100_000;
const SEED = 1_121;
const PLANTED_RUNS = 60_000;

describe('caches of several processes over one Redis, in many histories', () => {
  it(`read nothing that was overwritten or deleted, in ${String(RUNS)}`, { timeout: 1_800_000 }, async () => {
    const details = await playHistories(RUNS, SEED);
    say(`${String(details.numRuns)} histories of caches, seed ${String(SEED)}`);
    expect(details.failed, await fc.asyncDefaultReportMessage(details)).toBe(false);
  });

  it.each([
    'no lease check',
    'no flush when subscribed again',
    'no run in the stamp',
    'late stores live longer',
  ] as const)('would be seen to do so with a fault: %s', { timeout: 600_000 }, async (plant) => {
    const { failed, numRuns } = await playHistories(PLANTED_RUNS, SEED, plant);
    say(`${plant}: found in history ${String(numRuns)}`);
    expect(failed).toBe(true);
  });
});
