import { replay, type ReplayResults } from './cache-replay.js';
import { budgetsOf, HIT_RATE } from './cache/budgets.js';
import type { Comparison } from './cache/compare.js';
import { cachePageOf, type CacheReport } from './cache/page.js';
import { benchRedis } from './cache/redis.js';
import { compareTierOne } from './cache/tier-one.js';
import { compareTierTwo } from './cache/tier-two.js';
import { compareUsersGet } from './cache/users-get.js';
import { writePage } from './report.js';
import { engineVersions, thisMachine } from './report/machine.js';

export interface CacheBenchOptions {
  readonly rounds: number;
  readonly engines: readonly string[];
  /** Short rounds, fewer archives and steps. */
  readonly quick: boolean;
  readonly json: boolean;
  /** Whether the results and the page that shows them are written. */
  readonly report: boolean;
}

export interface CacheResults {
  readonly comparisons: Readonly<Record<string, Comparison>>;
  readonly replay: ReplayResults;
}

/** What the cache is worth: a read of each tier, a cached call beside the same one uncached, and a replay of real conversations. */
export async function benchCache({ rounds, engines: wanted, quick, json, report }: CacheBenchOptions): Promise<void> {
  const redis = await benchRedis();
  const engines = wanted.filter((engine) => engine !== 'mariadb');
  const duration = quick ? 100 : 300;
  const comparisons: Record<string, Comparison> = {};
  try {
    comparisons['tier one'] = await compareTierOne(redis, { rounds, duration });
    if (redis) Object.assign(comparisons, await compareTierTwo(redis, { rounds, duration }));
    Object.assign(comparisons, await compareUsersGet(engines, redis, { rounds, duration }));
    const size = quick ? { steps: 10_000, archives: 3, rounds: 1 } : { steps: 30_000, archives: Infinity, rounds: 3 };
    const results: CacheResults = { comparisons, replay: await replay(redis, { engines, ...size }) };
    print(results, json);
    if (report) await write(results, { rounds, duration }, engines, redis?.version);
  } finally {
    await redis?.remove();
  }
}

async function write(
  results: CacheResults,
  options: CacheReport['options'],
  wanted: readonly string[],
  redis: string | undefined,
): Promise<void> {
  const engines = { ...(await engineVersions(wanted)), ...(redis !== undefined && { redis }) };
  const report: CacheReport = { date: new Date().toISOString(), machine: thisMachine(), engines, options, results };
  await writePage('results/cache.json', JSON.stringify(report));
  await writePage('CACHE.md', cachePageOf(report));
}

function print(results: CacheResults, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    return;
  }
  for (const [name, comparison] of Object.entries(results.comparisons)) {
    process.stdout.write(line(name, 'a second', 'times ours'));
    for (const [side, rate] of Object.entries(comparison.rates)) {
      const times = comparison.times[side];
      process.stdout.write(line(`  ${side}`, rate.toLocaleString('en-US'), times?.toFixed(2) ?? ''));
    }
    for (const { what, met } of budgetsOf(name, comparison))
      process.stdout.write(`  ${what}: ${met ? 'met' : 'MISSED'}\n`);
  }
  const { replays, times } = results.replay;
  process.stdout.write(line('replay', 'hit rate', 'at most'));
  for (const { habit, readsPerAppend, eviction, hitRate, bound } of replays) {
    const name = `  ${habit}, ${String(readsPerAppend)} reads to an append, ${eviction}`;
    process.stdout.write(line(name, hitRate.toFixed(3), bound.toFixed(3)));
  }
  for (const [engine, { cached, uncached, times: factor }] of Object.entries(times)) {
    process.stdout.write(line(`  ${engine}, seconds with and without`, cached.toFixed(2), uncached.toFixed(2)));
    process.stdout.write(line(`  ${engine}, times as fast`, factor.toFixed(2), ''));
  }
  process.stdout.write(`  the budget is a hit rate of ${String(HIT_RATE)}\n`);
}

function line(name: string, ...cells: readonly string[]): string {
  return `${name.padEnd(66)}${cells.map((cell) => cell.padStart(14)).join('')}\n`;
}
