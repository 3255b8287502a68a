import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { codeOf, open, openChat } from './conformance.js';
import { APPEND, CREATING_CALLS, type Maker } from './creating-calls.js';
import type { TestEngine } from './engines.js';
import { FaultProxy, swallowReply } from './fault-proxy.js';
import { serverOf } from './faulty-servers.js';
import { rawRows } from './raw-rows.js';
import { seededNumbers } from './sources.js';

/** A chat, and a way to its database that swallows the replies of COMMIT when it is told to. */
export interface LossyWay extends Maker {
  readonly persistence: PersistenceManager;
  readonly proxy: FaultProxy;
  /** Swallows the replies of so many COMMITs that come next. */
  swallowCommits(count: number): void;
  /** How many replies were swallowed. */
  swallowed(): number;
}

/** Opens the database of a chat through a proxy of its own, which resets the connection of a lost reply, or says nothing more on it. */
export async function openLossyWay(
  engine: TestEngine,
  databaseUrl: string,
  ids: Omit<Maker, 'tenant'>,
  loss: 'reset' | 'drop' = 'reset',
): Promise<LossyWay> {
  const server = serverOf(engine.name);
  const url = new URL(databaseUrl);
  let [armed, swallowed] = [0, 0];
  const isMet = (statement: string): boolean => {
    if (armed === 0 || !server.commits(statement)) return false;
    armed -= 1;
    swallowed += 1;
    return true;
  };
  const target = { host: url.hostname, port: Number(url.port) };
  const proxy = await FaultProxy.start(target, () => swallowReply(server.readStatements(), isMet, loss));
  onTestFinished(() => proxy.close());
  url.port = String(proxy.port);
  const persistence = await open(url.href);
  const tenant = persistence.tenant('acme');
  // Its id is looked up once, and not while a reply is to be lost.
  await tenant.users.list({ limit: 1 });
  const swallowCommits = (count: number): void => void (armed = count);
  return { ...ids, persistence, tenant, proxy, swallowCommits, swallowed: () => swallowed };
}

/** What became of calls whose COMMIT was not answered. */
export interface LostCommits {
  readonly calls: number;
  readonly swallowed: number;
  /** Calls that failed, by code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Rows, or additions, that no call has asked for. */
  readonly doubled: number;
  /** Results whose row is not there. */
  readonly lost: number;
  /** Calls that had not ended after half a minute. */
  readonly hung: number;
  readonly slowestMs: number;
}

const HANG_MS = 30_000;
const KINDS = [...CREATING_CALLS, APPEND];
/** Of eight calls one loses two replies in turn, and one three. */
const LOSSES = [1, 1, 1, 1, 1, 1, 2, 3];

/**
 * Makes calls of every kind, each under a key of its own, until `total` replies of COMMIT were swallowed. Four callers work at once;
 * every third call is sent beside it by another way too, as by a second process that was given the same request.
 */
export async function loseCommits(engine: TestEngine, total: number, seed: number): Promise<LostCommits> {
  const databaseUrl = await engine.freshUrl();
  const { acme, ...chat } = await openChat(databaseUrl);
  const ids = { userId: chat.userId, conversationId: chat.chatId };
  const direct: Maker = { ...ids, tenant: acme };
  const rowsBefore = (await acme.stats()).rows;
  const ways = await Promise.all([1, 2, 3, 4].map(() => openLossyWay(engine, databaseUrl, ids)));
  const swallowed = (): number => ways.reduce((sum, way) => sum + way.swallowed(), 0);
  const number = seededNumbers(seed);
  const made = new Map<string, string[]>(KINDS.map(({ table }) => [table, []]));
  const failed: Record<string, number> = {};
  const planned = { losses: 0 };
  let [calls, hung, slowestMs] = [0, 0, 0];

  const callOnce = async (way: LossyWay): Promise<void> => {
    const n = (calls += 1);
    const kind = KINDS[n % KINDS.length] ?? APPEND;
    const options = { idempotencyKey: `request ${String(n)}` };
    const losses = Math.min(LOSSES[number(LOSSES.length) - 1] ?? 1, total - planned.losses);
    planned.losses += losses;
    way.swallowCommits(losses);
    const begun = performance.now();
    const results = [kind.make(way, n, options), ...(n % 3 === 0 ? [kind.make(direct, n, options)] : [])];
    const codes = await Promise.race([Promise.all(results.map(codeOf)), pause(HANG_MS, ['hung'], { ref: false })]);
    way.swallowCommits(0);
    slowestMs = Math.max(slowestMs, performance.now() - begun);
    if (codes[0] === 'hung') hung += 1;
    for (const code of codes) if (code !== 'resolved') failed[code] = (failed[code] ?? 0) + 1;
    if (codes.some((code) => code !== 'resolved')) return;
    made.get(kind.table)?.push(...(await Promise.all(results)).map(({ id }) => id));
  };
  const work = async (way: LossyWay): Promise<void> => {
    while (planned.losses < total) await callOnce(way);
  };
  await Promise.all(ways.map(work));

  let [doubled, lost] = [0, 0];
  for (const { name, table } of KINDS) {
    const asked = Array.from({ length: calls }, (_unused, index) => KINDS[(index + 1) % KINDS.length]?.name);
    const expected = asked.filter((called) => called === name).length;
    const counted = name === 'usage.add' ? 'sum(requests)' : 'count(*)';
    const [row] = await rawRows<{ total: number | string }>(databaseUrl, `select ${counted} as total from ${table}`);
    doubled += Math.abs(Number(row?.total) - (rowsBefore[table] ?? 0) - expected);
    const stored = await rawRows<{ id: string }>(databaseUrl, `select id from ${table}`);
    const there = new Set(stored.map(({ id }) => id));
    const given = made.get(table) ?? [];
    lost += given.filter((id) => !there.has(id)).length;
  }
  return { calls, swallowed: swallowed(), failed, doubled, lost, hung, slowestMs: Math.round(slowestMs) };
}
