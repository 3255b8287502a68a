import { randomUUID } from 'node:crypto';
import { importArchives, type TenantContext } from '../src/index.js';
import { type Arena, arenas, type Opened } from './arenas.js';
import { benchArchives } from './data.js';
import { median } from './median.js';
import type { RawStore } from './raw/raw-store.js';

/** How many conversations are read and appended to, in turn ... */
const CHATS = 60;
/** ... and how many messages are read, and their contents written again. */
const CONTENTS = 2_000;

export interface HotPathOptions {
  readonly json: boolean;
  readonly rounds: number;
  /** Calls of a side in a round. */
  readonly calls: number;
  readonly engines: readonly string[];
}

interface Fixture {
  readonly tenant: TenantContext;
  readonly tenantId: string;
  readonly userId: string;
  readonly chats: readonly string[];
  readonly messageIds: readonly string[];
  readonly contents: readonly string[];
  readonly nextId: () => string;
}

const SIDES = ['raw', 'colloquy', 'unit of work'] as const;
type Side = (typeof SIDES)[number];
type Call = (n: number) => unknown;
type Paths = Readonly<Record<string, Readonly<Record<Side, Call>>>>;

function pathsOf(raw: RawStore, fixture: Fixture): Paths {
  const { tenant, tenantId, userId, chats, messageIds, contents, nextId } = fixture;
  const chat = (n: number): string => chats[n % chats.length] ?? '';
  const content = (n: number): string => contents[n % contents.length] ?? 'x';
  const message = (n: number): string => messageIds[n % messageIds.length] ?? '';
  return {
    append: {
      raw: (n) =>
        raw.append({
          id: nextId(),
          tenantId,
          conversationId: chat(n),
          content: content(n),
          tokenCount: 21,
          idempotencyKey: randomUUID(),
        }),
      colloquy: (n) =>
        tenant.messages.append(
          chat(n),
          { role: 'user', content: content(n), tokenCount: 21 },
          { idempotencyKey: randomUUID() },
        ),
      'unit of work': (n) =>
        tenant.transaction(({ messages }) =>
          messages.append(
            chat(n),
            { role: 'user', content: content(n), tokenCount: 21 },
            { idempotencyKey: randomUUID() },
          ),
        ),
    },
    last50: {
      raw: (n) => raw.last50(tenantId, chat(n)),
      colloquy: (n) => tenant.messages.history(chat(n), { last: 50 }),
      'unit of work': (n) =>
        tenant.read(({ messages }) =>
          messages.find({ conversation: [tenantId, chat(n)] }, { orderBy: { seq: 'desc' }, limit: 50 }),
        ),
    },
    byId: {
      raw: (n) => raw.byId(tenantId, message(n)),
      colloquy: (n) => tenant.messages.get(message(n)),
      'unit of work': (n) => tenant.read(({ messages }) => messages.get(message(n))),
    },
    list: {
      raw: () => raw.list(tenantId, userId),
      colloquy: () => tenant.conversations.list({ userId, limit: 20 }),
      'unit of work': () =>
        tenant.read(({ conversations }) =>
          conversations.find({ user: [tenantId, userId] }, { orderBy: { id: 'desc' }, limit: 21 }),
        ),
    },
  };
}

/** Imports an archive: its longest conversations are read and appended to, and the user with the most of them lists them. */
async function furnish({ persistence }: Opened): Promise<Fixture> {
  const { id: tenantId } = await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
  const tenant = persistence.tenant('bench');
  const [archive = ''] = benchArchives();
  await importArchives(tenant, [archive]);
  return persistence.withEntityManager(async (em) => {
    em.setFilterParams('tenant', { tenantId });
    const first = async (sql: string, name: string): Promise<string[]> =>
      (await em.execute<Record<string, string>[]>(sql, [tenantId])).map((row) => row[name] ?? '');
    const limits = { chats: `limit ${String(CHATS)}`, many: `limit ${String(CONTENTS)}` };
    const users = `select user_id, count(*) from conversations where tenant_id = ? group by user_id order by 2 desc limit 1`;
    const [userId = ''] = await first(users, 'user_id');
    const longest = `select id from conversations where tenant_id = ? order by message_count desc ${limits.chats}`;
    const messages = `select id, content from messages where tenant_id = ? order by id ${limits.many}`;
    return {
      tenant,
      tenantId,
      userId,
      chats: await first(longest, 'id'),
      messageIds: await first(messages, 'id'),
      contents: await first(messages, 'content'),
      nextId: () => persistence.sources.ids.next(),
    };
  });
}

async function callsPerSecond(call: Call, calls: number, callers: number, first: number): Promise<number> {
  globalThis.gc?.();
  let next = first;
  const end = first + calls;
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (next < end) await call(next++);
    }),
  );
  return (calls * 1_000) / (performance.now() - begin);
}

/** The hot paths of one engine: rounds alternate between the sides, and so does which of them comes first. */
async function measure({ name, callers, open }: Arena, options: HotPathOptions): Promise<Results> {
  const opened = await open();
  try {
    const results: Results = {};
    const paths = pathsOf(opened.raw, await furnish(opened));
    for (const [path, sides] of Object.entries(paths)) {
      const rates: Record<Side, number[]> = { raw: [], colloquy: [], 'unit of work': [] };
      for (let round = 0; round <= options.rounds; round += 1) {
        for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
          const rate = await callsPerSecond(sides[side], options.calls, callers, round * options.calls);
          // The first round warms all up.
          if (round > 0) rates[side].push(rate);
        }
      }
      const ratioOf = (side: Side) => median(rates[side].map((rate, round) => rate / (rates.raw[round] ?? rate)));
      results[`${name}/${path}`] = {
        raw: Math.round(median(rates.raw)),
        colloquy: Math.round(median(rates.colloquy)),
        unitOfWork: Math.round(median(rates['unit of work'])),
        ratio: Number(ratioOf('colloquy').toFixed(3)),
        unitOfWorkRatio: Number(ratioOf('unit of work').toFixed(3)),
      };
      process.stderr.write(`${name}/${path} done\n`);
    }
    return results;
  } finally {
    await opened.raw.close();
    await opened.persistence.close();
    await opened.remove();
  }
}

/** Calls a second, and how many of the raw side's each of the others reaches: the median of the rounds' ratios. */
interface Result {
  readonly raw: number;
  readonly colloquy: number;
  readonly unitOfWork: number;
  readonly ratio: number;
  readonly unitOfWorkRatio: number;
}
type Results = Record<string, Result>;

/**
 * The hot paths of each engine that can be had, against the driver alone at its best on the same tables: prepared statements, one
 * statement for an append on PostgreSQL. Row-level security is off, for the raw side has none.
 */
export async function benchHotPaths(options: HotPathOptions): Promise<void> {
  const results: Results = {};
  for (const arena of await arenas(options.engines)) Object.assign(results, await measure(arena, options));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    return;
  }
  line('calls a second', 'raw', 'colloquy', 'ratio', 'unit of work', 'ratio');
  for (const [name, { raw, colloquy, unitOfWork, ratio, unitOfWorkRatio }] of Object.entries(results)) {
    line(name, String(raw), String(colloquy), ratio.toFixed(2), String(unitOfWork), unitOfWorkRatio.toFixed(2));
  }
}

function line(name: string, ...cells: readonly string[]): void {
  process.stdout.write(`${name.padEnd(24)}${cells.map((cell) => cell.padStart(14)).join('')}\n`);
}
