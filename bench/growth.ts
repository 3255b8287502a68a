import { type Arena, arenas, type Opened } from './arenas.js';
import { callsPerSecond } from './calls.js';
import { servicesOf } from './colloquy.js';
import { median } from './median.js';
import { type Fill, fillByGrowth } from './raw/fill.js';
import { writePage } from './report.js';
import { growthPageOf, type GrowthReport } from './report/growth-page.js';
import { engineVersions, thisMachine } from './report/machine.js';
import type { Fixture, Side } from './side.js';

const PATHS = ['append', 'last50', 'byId', 'list'] as const;
type GrowthPath = (typeof PATHS)[number];

const NAMES = ['colloquy', 'raw'] as const;

/** Where a call goes: to any place, or to one of the newest messages, as many as the smallest database has. */
const PLACES = ['newest', 'anywhere'] as const;
type Place = (typeof PLACES)[number];

export interface GrowthOptions {
  readonly engines: readonly string[];
  /** How many messages there are, in growing order. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Of a path in a round, in milliseconds. */
  readonly duration: number;
  readonly json: boolean;
  /** Whether the results and the page that shows them are written. */
  readonly report: boolean;
}

/** What a path costs one side. */
export interface Growth {
  /** Microseconds of a call, for each size: the median of the rounds. */
  readonly microseconds: readonly number[];
  /** How many times the first size's the last one's are: the median of the rounds' ratios. */
  readonly factor: number;
}

/** By engine, path, place and side, such as `sqlite/byId, anywhere, raw`. */
export type GrowthResults = Readonly<Record<string, Growth>>;

/**
 * The same calls with more and more messages in the database: conversations of 100 messages each, all of one tenant, read and appended to
 * at random places, of the newest messages and of all, by Colloquy and by the driver alone. What grows with the database among the
 * newest would be a path that reads more than it needs; what grows anywhere for both sides is what it takes to find a place that is in no
 * cache. The databases of all sizes are there at the same time, and every round goes through them, so that what slows the machine down for a
 * while makes none of them look larger.
 */
export async function benchGrowth(options: GrowthOptions): Promise<void> {
  const results: Record<string, Growth> = {};
  for (const arena of (await arenas(options.engines)).filter(({ name }) => options.engines.includes(name))) {
    Object.assign(results, await grow(arena, options));
  }
  print(results, options);
  if (!options.report) return;
  const { sizes, rounds, duration } = options;
  const engines = await engineVersions(options.engines);
  const date = new Date().toISOString();
  const report: GrowthReport = { date, machine: thisMachine(), engines, sizes, rounds, duration, results };
  await writePage('results/growth.json', JSON.stringify(report));
  await writePage('GROWTH.md', growthPageOf(report));
}

function print(results: GrowthResults, { sizes, json }: GrowthOptions): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ sizes, results }, null, 2)}\n`);
    return;
  }
  process.stdout.write(lineOf('µs a call', [...sizes.map((size) => size.toLocaleString('en-US')), 'last / first']));
  for (const [name, { microseconds, factor }] of Object.entries(results)) {
    process.stdout.write(lineOf(name, [...microseconds.map((cost) => cost.toFixed(1)), factor.toFixed(2)]));
  }
}

function lineOf(name: string, cells: readonly string[]): string {
  return `${name.padEnd(40)}${cells.map((cell) => cell.padStart(14)).join('')}\n`;
}

/** A database of some size, and the sides that have it open. */
interface Stage {
  readonly fill: Fill;
  readonly sides: Readonly<Record<(typeof NAMES)[number], Side>>;
}

async function grow(arena: Arena, options: GrowthOptions): Promise<Record<string, Growth>> {
  const opened: Opened[] = [];
  try {
    const stages: Stage[] = [];
    for (const size of options.sizes) {
      const database = await arena.open();
      opened.push(database);
      stages.push(await fillStage(arena, database, size));
    }
    const results: Record<string, Growth> = {};
    for (const path of PATHS) {
      // A list begins with the newest anyway.
      for (const place of path === 'list' ? (['newest'] as const) : PLACES) {
        const costs = await costsOf(stages, path, place, options);
        for (const name of NAMES) {
          const rounds = costs[name];
          const microseconds = stages.map((_stage, index) => median(rounds.map((round) => round[index] ?? 0)));
          const factor = median(rounds.map((round) => (round.at(-1) ?? 0) / (round[0] ?? 1)));
          results[`${arena.name}/${path}, ${place}, ${name}`] = { microseconds, factor };
        }
      }
    }
    for (const { sides } of stages) await sides.raw.close();
    return results;
  } finally {
    for (const { persistence, remove } of opened) {
      await persistence.close();
      await remove();
    }
  }
}

async function fillStage(arena: Arena, opened: Opened, size: number): Promise<Stage> {
  const begun = performance.now();
  const fill = await fillByGrowth(opened);
  await fill.to(size);
  const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
  process.stderr.write(`${arena.name}: ${size.toLocaleString('en-US')} messages after ${seconds} s\n`);
  const fixture = fixtureOf(fill);
  const raw = await arena.openRaw(opened.database, fixture);
  return { fill, sides: { colloquy: servicesOf(opened.persistence, fixture), raw } };
}

/** Microseconds of a call in each round, at each stage. */
async function costsOf(
  stages: readonly Stage[],
  path: GrowthPath,
  place: Place,
  { rounds, duration, sizes }: GrowthOptions,
): Promise<Record<(typeof NAMES)[number], number[][]>> {
  const costs = { colloquy: [] as number[][], raw: [] as number[][] };
  for (let round = 0; round <= rounds; round += 1) {
    const found = { colloquy: [] as number[], raw: [] as number[] };
    const isBackwards = round % 2 === 1;
    for (const [index, { fill, sides }] of ordered([...stages.entries()], isBackwards)) {
      for (const name of ordered(NAMES, isBackwards)) {
        const part = place === 'newest' ? (sizes[0] ?? 0) / (sizes[index] ?? 1) : 1;
        const call = (n: number): unknown => walk(sides[name], path, fill, 1 - part * hashOf(n));
        const rate = await callsPerSecond(call, 1, duration, (round * 2 + NAMES.indexOf(name)) * 100_003);
        found[name][index] = 1_000_000 / rate;
      }
    }
    // The first round warms all up.
    if (round > 0) for (const name of NAMES) costs[name].push(found[name]);
  }
  return costs;
}

function ordered<Item>(items: readonly Item[], isBackwards: boolean): readonly Item[] {
  return isBackwards ? items.toReversed() : items;
}

function fixtureOf(fill: Fill): Fixture {
  const { tenantId, userId, nextId } = fill;
  return { tenantId, userId, chats: [], messageIds: [], contents: [], nextId };
}

/** Numbers from 0 to 1 that are spread evenly: a multiplicative hash (Knuth, The Art of Computer Programming, 6.4). */
function hashOf(n: number): number {
  return (Math.imul(n + 1, 2_654_435_761) >>> 0) / 2 ** 32;
}

function walk(side: Side, path: GrowthPath, fill: Fill, place: number): unknown {
  const conversationId = fill.conversationAt(place);
  if (path === 'last50') return side.last50?.(conversationId);
  if (path === 'byId') return side.byId?.(fill.messageAt(place));
  if (path === 'list') return side.list?.();
  const id = fill.nextId();
  return side.append?.({
    id,
    tenantId: fill.tenantId,
    conversationId,
    content: CONTENT,
    tokenCount: 21,
    idempotencyKey: id,
  });
}

const CONTENT = 'How long does it take until the parcel is here, and who pays for it when I send it back?';
