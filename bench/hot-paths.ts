import { type Arena, arenas, type Opened } from './arenas.js';
import { callsPerSecond } from './calls.js';
import { servicesOf, unitsOfWorkOf } from './colloquy.js';
import { benchArchives } from './data.js';
import { importArenas, measureImport } from './import.js';
import { median } from './median.js';
import { PEERS, peersMissing } from './peers/index.js';
import type { Fixture, PathName, Side } from './side.js';
import { BULK, furnish, Walks } from './walks.js';

/** So many bulks are in a round: one takes as long as thousands of other calls. */
const BULKS = 1;
/** How long a side walks a path at least before it is measured, in milliseconds: less than that its code is not compiled. */
const WARM_UP = 500;

export interface HotPathOptions {
  readonly rounds: number;
  /** One takes as long as many of other paths. */
  readonly importRounds: number;
  /** How long a side walks a path in a round, in milliseconds. */
  readonly duration: number;
  readonly engines: readonly string[];
  /** Whether other libraries walk them too, where they are installed. */
  readonly peers: boolean;
}

/** Calls a second, for `bulk` and `import` messages a second. */
export interface Result {
  readonly raw: number;
  readonly colloquy: number;
  /** How many of the raw side's Colloquy's are: the median of the rounds' ratios. */
  readonly ratio: number;
  /** Of every side. */
  readonly rates: Readonly<Record<string, number>>;
  readonly ratios: Readonly<Record<string, number>>;
}
export type Results = Record<string, Result>;

/** Messages a second. */
async function bulkRateOf(side: Side, walks: Walks): Promise<number> {
  const given = await Promise.all(Array.from({ length: BULKS }, () => walks.bulkMessages()));
  globalThis.gc?.();
  const begin = performance.now();
  for (const messages of given) await side.bulk?.(messages);
  return (given.length * BULK * 1_000) / (performance.now() - begin);
}

/** A database of an arena, and what walks its paths there; all of it is gone when `work` has ended. */
async function inArena(
  arena: Arena,
  work: (stage: {
    readonly opened: Opened;
    readonly fixture: Fixture;
    readonly raw: Side;
    readonly walks: Walks;
  }) => Promise<void>,
): Promise<void> {
  const opened = await arena.open();
  try {
    const fixture = await furnish(opened, arena.chats);
    const raw = await arena.openRaw(opened.database, fixture);
    try {
      await work({ opened, fixture, raw, walks: new Walks(opened, fixture) });
    } finally {
      await raw.close();
    }
  } finally {
    await opened.persistence.close();
    await opened.remove();
  }
}

/** Of each path, as `arena/path`. */
type RatesOf = Map<string, Rates>;

/** The hot paths of one arena, by Colloquy and the driver alone. */
async function measure(arena: Arena, options: HotPathOptions, ratesOf: RatesOf): Promise<void> {
  await inArena(arena, async ({ opened: { persistence }, fixture, raw, walks }) => {
    const sides = new Map([
      ['raw', raw],
      ['colloquy', servicesOf(persistence, fixture)],
      ['unitOfWork', unitsOfWorkOf(persistence, fixture)],
    ]);
    for (const path of arena.paths) {
      ratesOf.set(`${arena.name}/${path}`, await walkPath(sides, path, walks, arena, options));
    }
  });
}

/**
 * The same by other libraries, one after the other, for a server has no connections for all of them. Each is compared with the raw side
 * beside it.
 */
async function measurePeers(arena: Arena, options: HotPathOptions, ratesOf: RatesOf): Promise<void> {
  await inArena(arena, async ({ opened: { database }, fixture, raw, walks }) => {
    for (const [name, engines] of Object.entries(PEERS)) {
      const open = await engines[database.engine]?.();
      if (!open) continue;
      const peer = await open(database, fixture);
      for (const path of arena.paths) {
        const both = new Map([
          ['raw', raw],
          [name, peer],
        ]);
        const rates = await walkPath(both, path, walks, arena, options);
        const own = rates.get(name)?.own;
        if (own) ratesOf.get(`${arena.name}/${path}`)?.set(name, { own, raw: rates.get('raw')?.own ?? [] });
      }
      await peer.close();
      process.stderr.write(`${arena.name}: ${name} done\n`);
    }
  });
}

/** A side's rates by round, and those of the raw side in the same rounds. */
interface SideRates {
  readonly own: readonly number[];
  readonly raw: readonly number[];
}
type Rates = Map<string, SideRates>;

/** Rounds go through the sides, every other one backwards. */
async function walkPath(
  sides: ReadonlyMap<string, Side>,
  path: PathName,
  walks: Walks,
  { name: arena, callers }: Arena,
  { rounds, duration }: HotPathOptions,
): Promise<Rates> {
  const rates = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round += 1) {
    const names = [...sides.keys()];
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      // The first round warms all up.
      const time = round === 0 ? Math.max(duration, WARM_UP) : duration;
      const rate = await rateOfSide(sides.get(name) as Side, path, walks, callers, time, round);
      if (rate !== undefined && round > 0) rates.set(name, [...(rates.get(name) ?? []), rate]);
    }
  }
  process.stderr.write(`${arena}/${path} done\n`);
  const raw = rates.get('raw') ?? [];
  return new Map([...rates].map(([name, own]) => [name, { own, raw }]));
}

async function rateOfSide(
  side: Side,
  path: PathName,
  walks: Walks,
  callers: number,
  duration: number,
  round: number,
): Promise<number | undefined> {
  if (path === 'bulk') return side.bulk && bulkRateOf(side, walks);
  const walk = walks.of(side, path);
  return walk && callsPerSecond(walk, callers, duration, round * 997);
}

function resultOf(rates: Rates): Result {
  const medians = [...rates].map(([name, { own }]) => [name, Math.round(median(own))] as const);
  const ratios = [...rates].map(([name, { own, raw }]) => {
    const ratio = median(own.map((rate, round) => rate / (raw[round] ?? rate)));
    return [name, Number(ratio.toFixed(3))] as const;
  });
  const rate = Object.fromEntries(medians);
  const ratioOf = Object.fromEntries(ratios);
  const { raw = 0, colloquy = 0 } = rate;
  return { raw, colloquy, ratio: ratioOf['colloquy'] ?? 0, rates: rate, ratios: ratioOf };
}

/**
 * The hot paths of each engine that can be had, against the driver alone at its best on the same tables: prepared statements, one
 * statement for an append on PostgreSQL. Row-level security is off but in arenas of its own, for the raw side has none.
 */
export async function measureHotPaths(options: HotPathOptions): Promise<Results> {
  // First of all: what the other paths leave behind in the process, and on the disk, slows down one side of it more than the other.
  const imports = await measureImports(options);
  const found = await arenas(options.engines);
  const ratesOf: RatesOf = new Map();
  for (const arena of found) await measure(arena, options, ratesOf);
  // After all of ours: what they load stays in the process, and some of it changes how the process works.
  const missing = options.peers ? peersMissing() : undefined;
  if (missing !== undefined) process.stderr.write(`Without other libraries: ${missing}\n`);
  const compared = options.peers && missing === undefined ? found.filter(({ hasPeers }) => hasPeers) : [];
  for (const arena of compared) await measurePeers(arena, options, ratesOf);
  return { ...Object.fromEntries([...ratesOf].map(([name, rates]) => [name, resultOf(rates)])), ...imports };
}

async function measureImports({ engines, importRounds }: HotPathOptions): Promise<Results> {
  const results: Results = {};
  for (const arena of await importArenas(engines)) {
    const { raw, colloquy, ratio } = await measureImport(arena, benchArchives(), importRounds);
    const ratios = { raw: 1, colloquy: ratio };
    results[`${arena.name}/import`] = { raw, colloquy, ratio, rates: { raw, colloquy }, ratios };
  }
  return results;
}

/** Prints the results as JSON, or as a table of calls a second and ratios. */
export function printHotPaths(results: Results, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    return;
  }
  const sides = [...new Set(Object.values(results).flatMap(({ ratios }) => Object.keys(ratios)))];
  process.stdout.write(lineOf('a second (ratio to raw)', sides));
  for (const [name, { rates, ratios }] of Object.entries(results)) {
    const cells = sides.map((side) => {
      const rate = rates[side];
      return rate === undefined ? '' : `${String(rate)} (${(ratios[side] ?? 0).toFixed(2)})`;
    });
    process.stdout.write(lineOf(name, cells));
  }
}

function lineOf(name: string, cells: readonly string[]): string {
  return `${name.padEnd(38)}${cells.map((cell) => cell.padStart(16)).join('')}\n`;
}
