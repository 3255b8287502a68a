import { type Comparison, OURS } from './compare.js';

/** How many times as fast as each other side ours has to be. */
const TIMES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'tier one': { bentocache: 2, 'bentocache, no copies': 2 },
  'tier two, 1 caller': { ioredis: 0.9 },
  'tier two, 100 callers': { ioredis: 0.9 },
  'users.get, postgresql': { uncached: 20 },
};

/** How many reads a second there have to be. */
const RATES: Readonly<Record<string, number>> = { 'tier one': 1_000_000 };

/** What part of all reads the cache has to answer. */
export const HIT_RATE = 0.9;

export interface Verdict {
  readonly what: string;
  readonly met: boolean;
}

/** The budgets of a comparison, as far as what they speak of was measured. */
export function budgetsOf(name: string, { rates, times }: Comparison): Verdict[] {
  const verdicts: Verdict[] = [];
  const rate = RATES[name];
  if (rate !== undefined) {
    verdicts.push({ what: `at least ${rate.toLocaleString('en-US')} a second`, met: (rates[OURS] ?? 0) >= rate });
  }
  for (const [side, least] of Object.entries(TIMES[name] ?? {})) {
    const measured = times[side];
    if (measured !== undefined) verdicts.push({ what: `at least ${String(least)} × ${side}`, met: measured >= least });
  }
  return verdicts;
}
