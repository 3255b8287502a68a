import { randomUUID } from 'node:crypto';
import { importArchives } from '../src/index.js';
import { type Arena, arenas, type Opened } from './arenas.js';
import { servicesOf, unitsOfWorkOf } from './colloquy.js';
import { benchArchives } from './data.js';
import { median } from './median.js';
import type { Fixture, NewMessage, PathName, Side } from './side.js';

/** How many messages are read, and their contents written again. */
const CONTENTS = 2_000;
const BULK = 10_000;
/** So many bulks are in a round: one takes as long as thousands of other calls. */
const BULKS = 1;

export interface HotPathOptions {
  readonly rounds: number;
  /** How long a side walks a path in a round, in milliseconds. */
  readonly duration: number;
  readonly engines: readonly string[];
}

/** Calls a second of each side, for `bulk` messages a second, and how many of the raw side's that is: the median of the rounds' ratios. */
export type Result = Readonly<Record<string, number | Readonly<Record<string, number>>>> & {
  readonly raw: number;
  readonly colloquy: number;
  readonly ratio: number;
  /** Each side's own ratio. */
  readonly ratios: Readonly<Record<string, number>>;
};
export type Results = Record<string, Result>;

/** Imports an archive: its longest conversations are read and appended to, and the user with the most of them lists them. */
async function furnish({ persistence }: Opened, chats: number): Promise<Fixture> {
  const { id: tenantId } = await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
  const tenant = persistence.tenant('bench');
  const [archive = ''] = benchArchives();
  await importArchives(tenant, [archive]);
  return persistence.withEntityManager(async (em) => {
    em.setFilterParams('tenant', { tenantId });
    const first = async (sql: string, name: string): Promise<string[]> =>
      (await em.execute<Record<string, string>[]>(sql, [tenantId])).map((row) => row[name] ?? '');
    const users = `select user_id, count(*) from conversations where tenant_id = ? group by user_id order by 2 desc limit 1`;
    const [userId = ''] = await first(users, 'user_id');
    const longest = `select id from conversations where tenant_id = ? order by message_count desc limit ${String(chats)}`;
    const messages = `select id, content from messages where tenant_id = ? order by id limit ${String(CONTENTS)}`;
    return {
      tenantId,
      userId,
      chats: await first(longest, 'id'),
      messageIds: await first(messages, 'id'),
      contents: await first(messages, 'content'),
      nextId: () => persistence.sources.ids.next(),
    };
  });
}

/** Walks a path once, for the nth time. */
type Walk = (n: number) => unknown;

class Walks {
  readonly #opened: Opened;
  readonly #fixture: Fixture;

  constructor(opened: Opened, fixture: Fixture) {
    this.#opened = opened;
    this.#fixture = fixture;
  }

  /** How a side walks a path; undefined where it cannot. */
  of(side: Side, path: Exclude<PathName, 'bulk'>): Walk | undefined {
    const { chats, messageIds } = this.#fixture;
    const chat = (n: number): string => chats[n % chats.length] ?? '';
    const walks: Readonly<Record<typeof path, Walk | undefined>> = {
      append: side.append && ((n) => side.append?.(this.#message(n, chat(n)))),
      last50: side.last50 && ((n) => side.last50?.(chat(n))),
      byId: side.byId && ((n) => side.byId?.(messageIds[n % messageIds.length] ?? '')),
      list: side.list && (() => side.list?.()),
    };
    return walks[path];
  }

  /** Messages of a conversation that was empty. */
  async bulkMessages(): Promise<NewMessage[]> {
    const { userId } = this.#fixture;
    const { id } = await this.#opened.persistence.tenant('bench').conversations.start({ userId });
    return Array.from({ length: BULK }, (_unused, n) => this.#message(n, id));
  }

  #message(n: number, conversationId: string): NewMessage {
    const { tenantId, contents, nextId } = this.#fixture;
    const content = contents[n % contents.length] ?? 'x';
    return { id: nextId(), tenantId, conversationId, content, tokenCount: 21, idempotencyKey: randomUUID() };
  }
}

/** Calls a second. */
async function rateOf(walk: Walk, callers: number, duration: number, round: number): Promise<number> {
  globalThis.gc?.();
  let calls = 0;
  let next = round * 997;
  const begin = performance.now();
  const end = begin + duration;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) {
        await walk(next++);
        calls += 1;
      }
    }),
  );
  return (calls * 1_000) / (performance.now() - begin);
}

/** Messages a second. */
async function bulkRateOf(side: Side, walks: Walks): Promise<number> {
  const given = await Promise.all(Array.from({ length: BULKS }, () => walks.bulkMessages()));
  globalThis.gc?.();
  const begin = performance.now();
  for (const messages of given) await side.bulk?.(messages);
  return (given.length * BULK * 1_000) / (performance.now() - begin);
}

/** The hot paths of one arena: rounds go through the sides, every other one backwards. */
async function measure(arena: Arena, options: HotPathOptions): Promise<Results> {
  const opened = await arena.open();
  const sides = new Map<string, Side>();
  try {
    const fixture = await furnish(opened, arena.chats);
    sides.set('raw', await arena.openRaw(opened.database, fixture));
    sides.set('colloquy', servicesOf(opened.persistence, fixture));
    sides.set('unitOfWork', unitsOfWorkOf(opened.persistence, fixture));
    const walks = new Walks(opened, fixture);
    const results: Results = {};
    for (const path of arena.paths) {
      const rates = new Map<string, number[]>();
      for (let round = 0; round <= options.rounds; round += 1) {
        const names = [...sides.keys()];
        for (const name of round % 2 === 0 ? names : names.toReversed()) {
          const rate = await rateOfSide(sides.get(name) as Side, path, walks, arena.callers, options.duration, round);
          // The first round warms all up.
          if (rate !== undefined && round > 0) rates.set(name, [...(rates.get(name) ?? []), rate]);
        }
      }
      results[`${arena.name}/${path}`] = resultOf(rates);
      process.stderr.write(`${arena.name}/${path} done\n`);
    }
    return results;
  } finally {
    for (const side of sides.values()) await side.close();
    await opened.persistence.close();
    await opened.remove();
  }
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
  return walk && rateOf(walk, callers, duration, round);
}

function resultOf(rates: ReadonlyMap<string, readonly number[]>): Result {
  const raw = rates.get('raw') ?? [];
  const names = [...rates.keys()];
  const medians = names.map((name) => [name, Math.round(median(rates.get(name) ?? []))] as const);
  const ratios = names.map((name) => {
    const own = (rates.get(name) ?? []).map((rate, round) => rate / (raw[round] ?? rate));
    return [name, Number(median(own).toFixed(3))] as const;
  });
  const ratioOf = Object.fromEntries(ratios);
  return { ...Object.fromEntries(medians), ratio: ratioOf['colloquy'] ?? 0, ratios: ratioOf } as unknown as Result;
}

/**
 * The hot paths of each engine that can be had, against the driver alone at its best on the same tables: prepared statements, one
 * statement for an append on PostgreSQL. Row-level security is off but in arenas of its own, for the raw side has none.
 */
export async function measureHotPaths(options: HotPathOptions): Promise<Results> {
  const results: Results = {};
  for (const arena of await arenas(options.engines)) Object.assign(results, await measure(arena, options));
  return results;
}

/** Prints the results as JSON, or as a table of calls a second and ratios. */
export function printHotPaths(results: Results, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    return;
  }
  const sides = [...new Set(Object.values(results).flatMap(({ ratios }) => Object.keys(ratios)))];
  const line = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(38)}${cells.map((cell) => cell.padStart(16)).join('')}\n`;
  process.stdout.write(line('a second (ratio to raw)', sides));
  for (const [name, result] of Object.entries(results)) {
    const cells = sides.map((side) => {
      const rate = result[side];
      return rate === undefined ? '' : `${String(rate)} (${(result.ratios[side] ?? 0).toFixed(2)})`;
    });
    process.stdout.write(line(name, cells));
  }
}
