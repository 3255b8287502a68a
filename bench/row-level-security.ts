import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { PersistenceManager, type TenantContext } from '../src/index.js';
import { median } from './median.js';

const SERVER = process.env['TEST_POSTGRESQL_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const MESSAGES = 200;
const CONVERSATIONS = 60;
const CALLS = 500;
const CALLERS = [1, 16] as const;
const SIDES = ['on', 'off'] as const;

type Side = (typeof SIDES)[number];

interface Target {
  readonly tenant: TenantContext;
  readonly userId: string;
  readonly chatId: string;
  readonly messageId: string;
}

const OPERATIONS: Readonly<Record<string, (target: Target) => Promise<unknown>>> = {
  append: ({ tenant, chatId }) => tenant.messages.append(chatId, { role: 'user', content: 'How long does it take?' }),
  'last 50': ({ tenant, chatId }) => tenant.messages.history(chatId, { last: 50 }),
  'by id': ({ tenant, messageId }) => tenant.messages.get(messageId),
  list: ({ tenant, userId }) => tenant.conversations.list({ userId }),
};

/**
 * What row-level security costs: the same calls on one PostgreSQL database with it and without it, in one process. Rounds alternate
 * between the two, and so does which of them comes first; each appends to conversations of its own.
 */
export async function benchRowLevelSecurity(options: { rounds: number; json: boolean }): Promise<void> {
  const url = new URL(SERVER);
  url.pathname = `/colloquy_bench_${randomUUID().replaceAll('-', '')}`;
  await onServer(`create database ${url.pathname.slice(1)} template template0`);
  try {
    report(await measure(url, options.rounds), options.json);
  } finally {
    await onServer(`drop database if exists ${url.pathname.slice(1)} with (force)`);
  }
}

/** Calls a second, by operation, callers, side and round. */
type Measured = ReadonlyMap<string, Readonly<Record<Side, number[]>>>;

async function measure(url: URL, rounds: number): Promise<Measured> {
  const managers = { on: await openOn(url, 'on'), off: await openOn(url, 'off') };
  try {
    const measured = new Map<string, Record<Side, number[]>>();
    for (let round = 0; round <= rounds; round += 1) {
      for (const [name, call] of Object.entries(OPERATIONS)) {
        for (const callers of CALLERS) {
          const key = `${name}, ${String(callers)} ${callers === 1 ? 'caller' : 'callers'}`;
          const rates = measured.get(key) ?? { on: [], off: [] };
          for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
            const target = await furnish(managers[side], `${side}-${String(round)}-${String(measured.size)}`);
            const rate = await callsPerSecond(() => call(target), callers);
            // The first round warms both up.
            if (round > 0) rates[side].push(rate);
          }
          measured.set(key, rates);
        }
      }
      process.stderr.write(`round ${String(round)} of ${String(rounds)} done\n`);
    }
    return measured;
  } finally {
    await managers.on.close();
    await managers.off.close();
  }
}

async function openOn(url: URL, side: Side): Promise<PersistenceManager> {
  const own = new URL(url);
  own.searchParams.set('rowLevelSecurity', String(side === 'on'));
  return PersistenceManager.open({ databaseUrl: own.href, cache: false });
}

async function furnish(persistence: PersistenceManager, externalId: string): Promise<Target> {
  await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
  const tenant = persistence.tenant('bench');
  return tenant.transaction(async ({ users, conversations, messages }) => {
    const user = users.create({ externalId: `${externalId}-${randomUUID()}`, username: 'bench' });
    const chats = Array.from({ length: CONVERSATIONS }, () => conversations.create({ user: users.ref(user.id) }));
    const chatId = chats[0]?.id ?? '';
    let messageId = '';
    for (let index = 0; index < MESSAGES; index += 1)
      messageId = (await messages.append(chatId, { role: 'user', content: `message ${String(index)}` })).id;
    return { tenant, userId: user.id, chatId, messageId };
  });
}

async function callsPerSecond(call: () => Promise<unknown>, callers: number): Promise<number> {
  globalThis.gc?.();
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let index = 0; index < CALLS / callers; index += 1) await call();
    }),
  );
  return (Math.ceil(CALLS / callers) * callers * 1000) / (performance.now() - begin);
}

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: SERVER });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function line(name: string, ...cells: readonly string[]): string {
  return `${name.padEnd(22)}${cells.map((cell) => cell.padStart(10)).join('')}\n`;
}

function report(measured: Measured, json: boolean): void {
  const rows = [...measured].map(([name, { on, off }]) => ({
    name: `postgresql/rls/${name}`,
    on: median(on),
    off: median(off),
    ratio: median(on.map((rate, round) => rate / (off[round] ?? rate))),
  }));
  if (json) {
    process.stdout.write(`${JSON.stringify({ rows }, null, 2)}\n`);
    return;
  }
  process.stdout.write(line('calls a second', 'with', 'without', 'ratio'));
  for (const { name, on, off, ratio } of rows) {
    process.stdout.write(line(name.replace('postgresql/rls/', ''), on.toFixed(0), off.toFixed(0), ratio.toFixed(2)));
  }
}
