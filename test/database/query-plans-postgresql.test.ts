import { describe, expect, it } from 'vitest';
import { openManager, populate, type Populated } from '../support/open-manager.js';
import { SERVERS } from '../support/engines.js';
import { connectRaw, type RawConnection } from '../support/raw-rows.js';
import { sentStatements } from '../support/sent-statements.js';

const POSTGRESQL = SERVERS.filter(({ name }) => name === 'postgresql');
// A file without tests is an error.
if (POSTGRESQL.length === 0) it.skip('query plans of PostgreSQL', () => undefined);

type World = Populated & { readonly messageId: string };

const MESSAGE = { role: 'user', content: 'x' } as const;

const CALLS: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  'a message by its id': ({ tenant, messageId }) => tenant.messages.get(messageId),
  'a user by the external id': ({ tenant }) => tenant.users.getByExternalId('acme-user'),
  'the last messages': ({ tenant, conversationId }) => tenant.messages.history(conversationId, { last: 50 }),
  'the messages after one': ({ tenant, conversationId }) => tenant.messages.history(conversationId, { after: 10 }),
  'the messages before one': ({ tenant, conversationId }) => tenant.messages.history(conversationId, { before: 400 }),
  "a user's conversations": ({ tenant, userId }) => tenant.conversations.list({ userId, limit: 20 }),
  "the next page of a user's conversations": ({ tenant, userId, conversationId }) =>
    tenant.conversations.list({ userId, limit: 20, after: conversationId }),
  'an append': ({ tenant, conversationId }) => tenant.messages.append(conversationId, MESSAGE),
  'an append under an idempotency key': ({ tenant, conversationId }) =>
    tenant.messages.append(conversationId, MESSAGE, { idempotencyKey: 'k' }),
  'appends that wait for each other': ({ tenant, conversationId }) =>
    Promise.all([1, 2, 3].map(() => tenant.messages.append(conversationId, MESSAGE))),
};

/** SQL for an id made of a number. */
const id = (number: string): string => `('01900000-0000-7000-8000-' || lpad((${number})::text, 12, '0'))::uuid`;

/** More rows than it pays to read in their order on the disk: of this tenant, and of its conversation. */
async function fill(connection: RawConnection, { tenantId, userId, conversationId }: Populated): Promise<void> {
  await connection.rows(
    `insert into users (tenant_id, id, created_at, updated_at, external_id, username, metadata, role, status, version)
     select $1, ${id('n')}, now(), now(), 'user ' || n, 'x', '{}', 'user', 'active', 1 from generate_series(1, 2000) as n`,
    [tenantId],
  );
  await connection.rows(
    `insert into conversations (tenant_id, id, created_at, updated_at, user_id, metadata, message_count, token_count, status, version)
     select $1, ${id('n')}, now(), now(), $2, '{}', 0, 0, 'active', 1 from generate_series(1, 2000) as n`,
    [tenantId, userId],
  );
  await connection.rows(
    `insert into messages (tenant_id, id, created_at, updated_at, conversation_id, seq, role, content)
     select $1, ${id('c * 1000 + n')}, now(), now(), case c when 0 then $2::uuid else ${id('c')} end, n, 'user', 'x'
       from generate_series(0, 9) as c, generate_series(1, 500) as n`,
    [tenantId, conversationId],
  );
  await connection.rows('update conversations set message_count = 500 where id = $1', [conversationId]);
  await connection.rows('analyze');
}

type Rows = (sql: string) => Promise<Record<string, string>[]>;

/** The plan of a prepared statement for values that the server does not know. */
async function planOfPrepared(rows: Rows, name: string, statement: string): Promise<string> {
  const values = [...new Set(statement.match(/\$\d+/g))].map(() => 'null').join(', ');
  const plan = await rows(`explain (costs off) execute ${name}${values === '' ? '' : `(${values})`}`);
  return plan.flatMap((row) => Object.values(row)).join('\n');
}

async function planOf(connection: RawConnection, statement: string): Promise<string> {
  await connection.rows('deallocate all');
  await connection.rows(`prepare hot as ${statement}`);
  return planOfPrepared((sql) => connection.rows(sql), 'hot', statement);
}

describe.each(POSTGRESQL)('$name: found by an index, without a scan and without sorting:', ({ freshUrl }) => {
  it.for(Object.entries(CALLS))('%s', async ([, call]) => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    const acme = await populate(persistence, 'acme');
    const connection = await connectRaw(url);
    try {
      await fill(connection, acme);
      await connection.rows('set plan_cache_mode = force_generic_plan');
      const [row] = await acme.tenant.messages.history(acme.conversationId, { last: 1 });
      const sent = await sentStatements(persistence, 'postgresql');
      await call({ ...acme, messageId: row?.id ?? '' });
      expect(sent.length).toBeGreaterThan(0);
      // What asks for the plans is noted as well.
      for (const statement of sent.slice()) {
        const plan = await planOf(connection, statement);
        expect(plan).toMatch(/Index/);
        expect(plan).not.toMatch(/Seq Scan on (?!tenants)|Bitmap|Sort/);
      }
    } finally {
      await connection.close();
    }
  });
});

/** After so many calls of a statement the server makes one plan for all values. */
const UNTIL_PLANNED = 7;

describe.each(POSTGRESQL)('$name: planned when its tables had a few rows, and kept:', ({ freshUrl }) => {
  it.for(Object.entries(CALLS))('%s', async ([, call]) => {
    const url = await freshUrl();
    const withOneConnection = new URL(url);
    withOneConnection.searchParams.set('poolSize', '1');
    const { persistence } = await openManager({ url: withOneConnection.href, cache: false });
    const acme = await populate(persistence, 'acme');
    const { id: second } = await acme.tenant.conversations.start({ userId: acme.userId });
    const keyed = (conversationId: string, key: number) =>
      acme.tenant.messages.append(conversationId, MESSAGE, { idempotencyKey: `key ${String(key)}` });
    for (let n = 0; n < 10; n += 1) await keyed(n % 2 === 0 ? second : acme.conversationId, n);
    for (let n = 0; n < 3; n += 1) await acme.tenant.users.create({ externalId: `user ${String(n)}`, username: 'x' });
    const connection = await connectRaw(url);
    await connection.rows('analyze');
    await connection.close();
    const [row] = await acme.tenant.messages.history(acme.conversationId, { last: 1 });
    for (let n = 0; n < UNTIL_PLANNED; n += 1) await call({ ...acme, messageId: row?.id ?? '' });
    await persistence.withEntityManager(async (em) => {
      const rows: Rows = (sql) => em.execute(sql);
      const hot = await rows(
        `select name, statement from pg_prepared_statements where generic_plans > 0 and statement ~ 'messages|conversations|users'`,
      );
      expect(hot.length).toBeGreaterThan(0);
      for (const { name = '', statement = '' } of hot) {
        const plan = await planOfPrepared(rows, name, statement);
        expect(plan).toMatch(/Index/);
        expect(plan).not.toMatch(/Seq Scan|Filter: .*(?:_key|_id|\bid|seq)\b|Index Cond: \(tenant_id = \$\d+\)$/m);
      }
    });
  });
});
