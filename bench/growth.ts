import { median } from './median.js';
import { type Arena, arenas } from './arenas.js';
import { servicesOf } from './colloquy.js';
import { callsPerSecond } from './calls.js';
import type { Fixture, Side } from './side.js';
import { fillByGrowth, type Fill } from './raw/fill.js';

const READS_AND_APPEND = ['append', 'last50', 'byId', 'list'] as const;
type GrowthPath = (typeof READS_AND_APPEND)[number];

const NAMES = ['colloquy', 'raw'] as const;
const SIDES = READS_AND_APPEND.flatMap((path) => NAMES.map((name) => `${path}, ${name}` as const));

interface GrowthOptions {
  readonly engines: readonly string[];
  /** How many messages there are, in growing order. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Of a path in a round, in milliseconds. */
  readonly duration: number;
  readonly json: boolean;
}

/** Microseconds of a call, by path and side, for each size. */
type Costs = Record<`${GrowthPath}, ${'colloquy' | 'raw'}`, number[]>;

/**
 * The same calls with more and more messages in the database: conversations of 100 messages each, most of them of one tenant, read and
 * appended to at random places, by Colloquy and by the driver alone. What grows with the database for both is what it takes to find a
 * place that is in no cache; what grew for one of them would be a path that reads more than it needs.
 */
export async function benchGrowth(options: GrowthOptions): Promise<void> {
  const results: Record<string, Costs> = {};
  for (const arena of (await arenas(options.engines)).filter(({ name }) => options.engines.includes(name))) {
    results[arena.name] = await grow(arena, options);
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ sizes: options.sizes, microseconds: results }, null, 2)}\n`);
    return;
  }
  process.stdout.write(
    lineOf('µs a call', [...options.sizes.map((size) => size.toLocaleString('en-US')), 'last / first']),
  );
  for (const [arena, costs] of Object.entries(results)) {
    for (const [path, each] of Object.entries(costs)) {
      const factor = (each.at(-1) ?? 0) / (each[0] ?? 1);
      process.stdout.write(lineOf(`${arena}/${path}`, [...each.map((cost) => cost.toFixed(1)), factor.toFixed(2)]));
    }
  }
}

function lineOf(name: string, cells: readonly string[]): string {
  return `${name.padEnd(30)}${cells.map((cell) => cell.padStart(14)).join('')}\n`;
}

async function grow(arena: Arena, { sizes, rounds, duration }: GrowthOptions): Promise<Costs> {
  const opened = await arena.open();
  try {
    const fill = await fillByGrowth(opened);
    const costs = Object.fromEntries(SIDES.map((name) => [name, [] as number[]])) as Costs;
    for (const size of sizes) {
      const begun = performance.now();
      await fill.to(size);
      process.stderr.write(`${arena.name}: ${String(size)} messages after ${seconds(begun)} s\n`);
      const fixture = fixtureOf(fill);
      const raw = await arena.openRaw(opened.database, fixture);
      const sides = { colloquy: servicesOf(opened.persistence, fixture), raw };
      for (const path of READS_AND_APPEND) {
        const rates = { colloquy: [] as number[], raw: [] as number[] };
        for (let round = 0; round <= rounds; round += 1) {
          for (const name of round % 2 === 0 ? NAMES : NAMES.toReversed()) {
            const call = (n: number): unknown => walk(sides[name], path, fill, n);
            const rate = await callsPerSecond(call, 1, duration, (round * 2 + NAMES.indexOf(name)) * 100_003);
            // The first round warms all up.
            if (round > 0) rates[name].push(rate);
          }
        }
        for (const name of NAMES) costs[`${path}, ${name}`].push(1_000_000 / median(rates[name]));
      }
      await raw.close();
    }
    return costs;
  } finally {
    await opened.persistence.close();
    await opened.remove();
  }
}

function fixtureOf(fill: Fill): Fixture {
  const { tenantId, userId, nextId } = fill;
  return { tenantId, userId, chats: [], messageIds: [], contents: [], nextId };
}

/** Places that are spread over all that there is: a multiplicative hash of the call's number (Knuth, The Art of Computer Programming, 6.4). */
function walk(side: Side, path: GrowthPath, fill: Fill, n: number): unknown {
  const place = (Math.imul(n + 1, 2_654_435_761) >>> 0) / 2 ** 32;
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

function seconds(begun: number): string {
  return ((performance.now() - begun) / 1_000).toFixed(0);
}
