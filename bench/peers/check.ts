import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type NewMessage, type PathName, PATHS, type Side } from '../side.js';
import { type CheckDatabase, openPostgreSqlDatabase, openSqliteDatabase } from './check-database.js';
import { PEERS, peersMissing } from './index.js';

/** What keeps no keys and counters of its own is asked by its reads alone. */
const WITHOUT_KEYS = new Set(['mastra']);
const TOKENS = 7;
const BULK = 2_500;

const newMessage = ({ fixture }: CheckDatabase, conversationId: string): NewMessage => ({
  id: fixture.nextId(),
  tenantId: fixture.tenantId,
  conversationId,
  content: fixture.contents.at(-1) ?? '',
  tokenCount: TOKENS,
  idempotencyKey: randomUUID(),
});

/** The ids in what a side gives: a row, rows, or a page of them. */
function idsOf(result: unknown): unknown[] {
  const page = result as { messages?: unknown[]; threads?: unknown[] };
  const rows = Array.isArray(result) ? result : (page.messages ?? page.threads ?? [result]);
  return rows.map((row) => (row as { id: unknown }).id);
}

/** The one row, each value as text: a driver may give a number as text, and a moment in its own form. */
function asText([row]: readonly Record<string, unknown>[]): Record<string, string> {
  const entries = Object.entries(row ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, JSON.stringify(value).replaceAll('"', '')]));
}

/** The conversation's numbers have no gap and its counters are what its messages say. */
async function assertDense({ query, fixture }: CheckDatabase, conversation: string, expected: number): Promise<void> {
  const numbers = await query(
    `select count(*) as rows, min(seq) as first, max(seq) as last, sum(token_count) as tokens, max(created_at) as moment
       from messages where tenant_id = $1 and conversation_id = $2`,
    fixture.tenantId,
    conversation,
  );
  const counters = await query(
    `select message_count as rows, 1 as first, message_count as last, token_count as tokens, last_message_at as moment
       from conversations where tenant_id = $1 and id = $2 and updated_at = last_message_at`,
    fixture.tenantId,
    conversation,
  );
  assert.deepEqual(asText(counters), asText(numbers));
  assert.equal(Number(numbers[0]?.['rows']), expected);
}

async function countOf({ query, fixture }: CheckDatabase, conversation: string): Promise<number> {
  const sql = `select count(*) as rows from messages where tenant_id = $1 and conversation_id = $2`;
  return Number((await query(sql, fixture.tenantId, conversation))[0]?.['rows']);
}

async function checkReads(side: Side, { fixture, conversations, query }: CheckDatabase): Promise<void> {
  const [chat = ''] = fixture.chats;
  const sql = `select id from messages where tenant_id = $1 and conversation_id = $2 order by seq desc limit 50`;
  const newest = idsOf(await query(sql, fixture.tenantId, chat)).toReversed();
  assert.equal(newest.length, 50);
  assert.deepEqual(idsOf(await side.last50?.(chat)), newest);
  const [message = ''] = fixture.messageIds;
  assert.deepEqual(idsOf(await side.byId?.(message)), [message]);
  assert.deepEqual(idsOf(await side.list?.()).slice(0, 20), conversations.slice(0, 20));
}

/** One append, the same again, many at once, and the same at once. */
async function checkAppends(side: Side, check: CheckDatabase): Promise<void> {
  const chat = check.fixture.chats.at(-1) ?? '';
  const before = await countOf(check, chat);
  const message = newMessage(check, chat);
  const once = await side.append?.(message);
  assert.deepEqual(idsOf(once), [message.id]);
  const again = { ...message, id: check.fixture.nextId() };
  assert.deepEqual(idsOf(await side.append?.(again)), [message.id]);
  await assertDense(check, chat, before + 1);

  const { callers } = check.database;
  const many = Array.from({ length: 5 * callers }, () => newMessage(check, chat));
  await Promise.all(many.slice(0, callers).map(async (one) => side.append?.(one)));
  for (const one of many.slice(callers)) await side.append?.(one);
  const raced = newMessage(check, chat);
  const racers = Array.from({ length: callers }, () => ({ ...raced, id: check.fixture.nextId() }));
  const winners = await Promise.all(racers.map(async (one) => idsOf(await side.append?.(one))[0]));
  assert.equal(new Set(winners).size, 1);
  await assertDense(check, chat, before + 1 + many.length + 1);
}

async function checkSuspended(side: Side, check: CheckDatabase): Promise<void> {
  const { query, fixture } = check;
  const [chat = ''] = fixture.chats;
  const before = await countOf(check, chat);
  const setStatus = `update tenants set status = $1 where id = $2 returning id`;
  await query(setStatus, 'suspended', fixture.tenantId);
  await assert.rejects(async () => side.append?.(newMessage(check, chat)), /no active tenant/);
  await query(setStatus, 'active', fixture.tenantId);
  assert.equal(await countOf(check, chat), before);
}

async function checkBulk(side: Side, check: CheckDatabase): Promise<void> {
  const { query, fixture, conversations } = check;
  const chat = conversations.at(-1) ?? '';
  await side.bulk?.(Array.from({ length: BULK }, () => newMessage(check, chat)));
  await assertDense(check, chat, BULK);
  // The next peer finds it empty again.
  await query(
    `delete from messages where tenant_id = $1 and conversation_id = $2 returning id`,
    fixture.tenantId,
    chat,
  );
  await query(
    `update conversations set message_count = 0, token_count = 0 where tenant_id = $1 and id = $2 returning id`,
    fixture.tenantId,
    chat,
  );
}

/** What is written is read again, in a conversation that was copied and in one that was not. */
async function checkWithoutKeys(side: Side, check: CheckDatabase): Promise<void> {
  const chat = check.fixture.chats.at(-1) ?? '';
  const message = newMessage(check, chat);
  await side.append?.(message);
  assert.equal(idsOf(await side.last50?.(chat)).at(-1), message.id);
  const empty = check.fixture.nextId();
  const added = Array.from({ length: BULK }, () => newMessage(check, empty));
  await side.bulk?.(added);
  assert.deepEqual(
    idsOf(await side.last50?.(empty)),
    added.slice(-50).map(({ id }) => id),
  );
}

const leftOut = (side: Side): PathName[] => PATHS.filter((path) => !side[path]);

async function checkPeers(check: CheckDatabase): Promise<void> {
  const { engine } = check.database;
  try {
    for (const [name, engines] of Object.entries(PEERS)) {
      const open = await engines[engine]?.();
      if (!open) continue;
      const side = await open(check.database, check.fixture);
      try {
        assert.deepEqual(leftOut(side), []);
        await checkReads(side, check);
        const writes = WITHOUT_KEYS.has(name) ? [checkWithoutKeys] : [checkAppends, checkSuspended, checkBulk];
        for (const write of writes) await write(side, check);
      } finally {
        await side.close();
      }
      process.stdout.write(`${engine}/${name} is right\n`);
    }
  } finally {
    await check.close();
  }
}

const missing = peersMissing();
if (missing) {
  process.stderr.write(`${missing}\n`);
  process.exit(1);
}
for (const open of [openSqliteDatabase, openPostgreSqlDatabase]) await checkPeers(await open());
