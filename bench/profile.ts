import { type Arena, arenas } from './arenas.js';
import { speedOf } from './calls.js';
import { levelsOf } from './levels.js';
import { median } from './median.js';
import { writePage } from './report.js';
import { engineVersions, thisMachine } from './report/machine.js';
import { profilePageOf, type ProfileReport } from './report/profile-page.js';
import type { Side } from './side.js';
import { furnish, Walks } from './walks.js';

const PATHS = ['append', 'last50', 'byId', 'list'] as const;
const ARENAS = new Set(['sqlite', 'postgresql', 'postgresql-32']);

export interface ProfileOptions {
  readonly rounds: number;
  /** Of a path in a round, in milliseconds. */
  readonly duration: number;
  readonly engines: readonly string[];
  readonly json: boolean;
  /** Whether the results and the page that shows them are written. */
  readonly report: boolean;
}

/** What a call takes, in microseconds: the medians of the rounds. */
export interface Cost {
  readonly total: number;
  /** Of this process alone: the rest is the server's, or the waiting for it. */
  readonly own: number;
}

/** By arena and path, such as `sqlite/byId`, and by level, the raw side's first. */
export type ProfileResults = Readonly<Record<string, Readonly<Record<string, Cost>>>>;

/**
 * What lies between the raw side and a service's call, level by level ({@link levelsOf}). The raw side has a database of its own, so that
 * no side's writes empty the other's cache, and short turns of all levels alternate.
 */
export async function benchProfile(options: ProfileOptions): Promise<void> {
  const results: Record<string, Readonly<Record<string, Cost>>> = {};
  for (const arena of await arenas(options.engines)) {
    if (ARENAS.has(arena.name)) Object.assign(results, await profile(arena, options));
  }
  print(results, options.json);
  if (!options.report) return;
  const { rounds, duration } = options;
  const engines = await engineVersions(options.engines);
  const date = new Date().toISOString();
  const report: ProfileReport = { date, machine: thisMachine(), engines, rounds, duration, results };
  await writePage('results/profile.json', JSON.stringify(report));
  await writePage('PROFILE.md', profilePageOf(report));
}

async function profile(arena: Arena, options: ProfileOptions): Promise<Record<string, Record<string, Cost>>> {
  const [alone, opened] = [await arena.open(), await arena.open()];
  try {
    const fixtures = { raw: await furnish(alone, arena.chats), own: await furnish(opened, arena.chats) };
    const raw = await arena.openRaw(alone.database, fixtures.raw);
    const sides = new Map<string, { readonly side: Side; readonly walks: Walks }>();
    sides.set('raw', { side: raw, walks: new Walks(alone, fixtures.raw) });
    for (const [name, side] of await levelsOf(opened, fixtures.own)) {
      sides.set(name, { side, walks: new Walks(opened, fixtures.own) });
    }
    const results: Record<string, Record<string, Cost>> = {};
    for (const path of PATHS) {
      const calls = [...sides].flatMap(([name, { side, walks }]) => {
        // What is read is not judged.
        const walk = name === 'judged' && path !== 'append' ? undefined : walks.of(side, path);
        return walk ? [[name, walk] as const] : [];
      });
      results[`${arena.name}/${path}`] = await costsOf(calls, arena.callers, options);
      process.stderr.write(`${arena.name}/${path} done\n`);
    }
    await raw.close();
    return results;
  } finally {
    for (const { persistence, remove } of [alone, opened]) {
      await persistence.close();
      await remove();
    }
  }
}

async function costsOf(
  calls: readonly (readonly [name: string, walk: (n: number) => unknown])[],
  callers: number,
  { rounds, duration }: ProfileOptions,
): Promise<Record<string, Cost>> {
  const costs = new Map(calls.map(([name]) => [name, { total: [] as number[], own: [] as number[] }]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, walk] of round % 2 === 0 ? calls : calls.toReversed()) {
      const { perSecond, own } = await speedOf(walk, callers, duration, round * 997);
      // The first round warms all up.
      if (round === 0) continue;
      costs.get(name)?.total.push(1_000_000 / perSecond);
      costs.get(name)?.own.push(own);
    }
  }
  return Object.fromEntries(
    [...costs].map(([name, { total, own }]) => [name, { total: rounded(median(total)), own: rounded(median(own)) }]),
  );
}

const rounded = (microseconds: number): number => Number(microseconds.toFixed(2));

function print(results: ProfileResults, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    return;
  }
  process.stdout.write('µs a call (of this process alone)\n');
  for (const [name, levels] of Object.entries(results)) {
    const cells = Object.entries(levels).map(
      ([level, { total, own }]) => `${level} ${total.toFixed(1)} (${own.toFixed(1)})`,
    );
    process.stdout.write(`${name.padEnd(24)}${cells.map((cell) => cell.padEnd(28)).join('')}\n`);
  }
}
