import { raw, sql } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { array, assert, asyncProperty, pre, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conversation, Document, Message, UsageRecord, User } from '../../src/entities/index.js';
import type { UnitOfWork } from '../../src/services/unit-of-work.js';
import { isSqlite } from '../support/engine-under-test.js';
import { openAcme, type OpenedManager, type Populated } from '../support/open-manager.js';
import { sentStatements } from '../support/sent-statements.js';

const SIGN = 'mark7f3a';
/** Everything that means something to a placeholder, a quote or a comment of one engine or another. */
const HOSTILE = `${SIGN}' " \` ? ?? \\? \\ :name $1 @p % _ [x] {y} ; drop table users; -- /* 退款 😀`;
const NUMBER = 73_313_373;
const PHONE = '+14155573313';
const INSTANT = new Date('2007-03-31T13:37:33.731Z');
const TRACES = [
  SIGN,
  String(NUMBER),
  PHONE,
  String(INSTANT.getTime()),
  INSTANT.toISOString(),
  INSTANT.toISOString().slice(0, 10),
];

type World = OpenedManager & Populated;

/** Runs `work` and returns what it returned, after making sure that no value of it was part of a statement. */
async function withoutTrace<T>(work: (world: World) => Promise<T>): Promise<T> {
  const world = await openAcme();
  const sent = await sentStatements(world.persistence);
  const result = await work(world);
  expect(sent.length).toBeGreaterThan(0);
  for (const statement of sent) {
    const lower = statement.toLowerCase();
    expect(
      TRACES.filter((trace) => lower.includes(trace.toLowerCase())),
      statement,
    ).toEqual([]);
  }
  return result;
}

const USER = {
  externalId: HOSTILE,
  username: HOSTILE,
  nickname: HOSTILE,
  email: `${SIGN}'?@example.com`,
  phone: PHONE,
  metadata: { [HOSTILE]: [HOSTILE, { deep: HOSTILE, n: NUMBER, yes: true, nothing: null }] },
};

describe('services bind every value and give it back as it was', () => {
  it('users', async () => {
    await withoutTrace(async ({ tenant }) => {
      const { id } = await tenant.users.create(USER);
      expect(await tenant.users.get(id)).toMatchObject(USER);
      expect((await tenant.users.getByExternalId(HOSTILE)).id).toBe(id);
      await tenant.users.update(id, { nickname: `${HOSTILE}!`, metadata: { again: HOSTILE } });
      const { items } = await tenant.users.list({ limit: 2 });
      expect(items.at(-1)).toMatchObject({ nickname: `${HOSTILE}!`, metadata: { again: HOSTILE } });
      await tenant.users.get(HOSTILE).catch(() => undefined);
    });
  });

  it('tenants', async () => {
    await withoutTrace(async ({ persistence }) => {
      const tenant = { slug: `${SIGN}-x`, name: HOSTILE, config: { [HOSTILE]: HOSTILE }, quota: { users: NUMBER } };
      await persistence.tenants.ensure(tenant);
      expect(await persistence.tenants.get(tenant.slug)).toMatchObject(tenant);
      await persistence
        .tenant(HOSTILE)
        .users.list()
        .catch(() => undefined);
      await persistence.tenant(tenant.slug).stats();
    });
  });

  it('conversations and messages', async () => {
    await withoutTrace(async ({ tenant, userId }) => {
      const chat = { externalId: HOSTILE, title: HOSTILE, summary: HOSTILE, metadata: { [HOSTILE]: HOSTILE } };
      const { id } = await tenant.conversations.start({ userId, ...chat });
      expect(await tenant.conversations.getByExternalId(HOSTILE)).toMatchObject(chat);
      await tenant.conversations.update(id, { title: `${HOSTILE}!` });
      const message = {
        role: 'user',
        content: HOSTILE,
        parts: [HOSTILE, { [HOSTILE]: NUMBER }],
        references: [[HOSTILE]],
        metadata: { at: HOSTILE },
        tokenCount: NUMBER,
      } as const;
      const input = { ...message, parts: [...message.parts], references: [...message.references] };
      const appended = await tenant.messages.append(id, input, { idempotencyKey: HOSTILE });
      expect(await tenant.messages.append(id, input, { idempotencyKey: HOSTILE })).toEqual(appended);
      expect(await tenant.messages.history(id)).toEqual([appended]);
      expect(appended).toMatchObject({ ...input, idempotencyKey: HOSTILE });
      expect(await tenant.conversations.get(id)).toMatchObject({ title: `${HOSTILE}!`, tokenCount: NUMBER });
    });
  });

  it('documents, voice sessions, API keys and usage', async () => {
    await withoutTrace(async ({ tenant, userId }) => {
      const document = {
        externalId: HOSTILE,
        title: HOSTILE,
        content: HOSTILE,
        contentType: `text/${SIGN}`,
        source: HOSTILE,
      };
      await tenant.documents.create(document);
      expect(await tenant.documents.getByExternalId(HOSTILE)).toMatchObject(document);
      const call = { externalId: HOSTILE, userId, startTime: INSTANT, config: { x: HOSTILE } };
      const { id } = await tenant.voiceSessions.start(call);
      await tenant.voiceSessions.complete(id, { audioDurationSeconds: NUMBER, metadata: { x: HOSTILE } });
      expect(await tenant.voiceSessions.get(id)).toMatchObject({ ...call, audioDurationSeconds: NUMBER });
      await tenant.apiKeys.create({ name: HOSTILE, scopes: [`${SIGN}:read`], expiresAt: INSTANT });
      await tenant.apiKeys.verify(HOSTILE);
      const usage = {
        provider: HOSTILE,
        model: HOSTILE,
        promptTokens: NUMBER,
        costUsd: `${String(NUMBER)}.25`,
        day: '2026-01-01',
      };
      await tenant.usage.add(usage);
      expect(await tenant.usage.list({ from: '2026-01-01', to: '2026-01-01' })).toMatchObject([usage]);
    });
  });
});

type Query = (unit: UnitOfWork, world: World) => Promise<unknown>;

const MESSAGE_METADATA = { note: HOSTILE };

/** Each finds, among others that it must not find, the one row that holds the hostile values. */
const QUERIES: readonly (readonly [what: string, query: Query])[] = [
  ['find by equality', ({ em }) => em.find(User, { username: HOSTILE })],
  ['find by a list', ({ em }) => em.find(User, { username: { $in: ['other', HOSTILE] } })],
  ['find by like', ({ em }) => em.find(User, { username: { $like: `${SIGN}%? ?? %` } })],
  [
    'find by not, greater and or',
    ({ em }) =>
      em.find(User, {
        $or: [{ username: HOSTILE }, { nickname: HOSTILE }],
        username: { $gte: HOSTILE },
        $not: { username: SIGN },
      }),
  ],
  ['find by a JSON property', ({ em }) => em.find(Message, { metadata: { note: HOSTILE } })],
  ['find by a number', ({ em }) => em.find(Message, { tokenCount: NUMBER })],
  ['find by a time', ({ em }) => em.find(Document, { createdAt: INSTANT })],
  ['find through a relation', ({ em }) => em.find(Conversation, { user: { username: HOSTILE } })],
  [
    'find with populate',
    ({ em }) =>
      em.find(Conversation, { title: HOSTILE }, { populate: ['user'], populateWhere: { user: { username: HOSTILE } } }),
  ],
  ['find one', async ({ em }) => [await em.findOneOrFail(User, { externalId: HOSTILE })]],
  [
    'find by cursor',
    async ({ em }) =>
      (await em.findByCursor(User, { where: { username: HOSTILE }, first: 3, orderBy: { username: 'asc' } })).items,
  ],
  ['count', async ({ em }) => Array.from({ length: await em.count(User, { username: HOSTILE }) })],
  [
    'stream',
    async ({ em }) => {
      const users: User[] = [];
      for await (const user of em.stream(User, { where: { username: HOSTILE } })) users.push(user);
      return users;
    },
  ],
  [
    'native update',
    ({ em }) =>
      em.nativeUpdate(User, { username: HOSTILE }, { nickname: `${HOSTILE}!` }).then((n) => Array.from({ length: n })),
  ],
  ['native delete', ({ em }) => em.nativeDelete(Document, { title: HOSTILE }).then((n) => Array.from({ length: n }))],
  [
    'managed rows, changed',
    async ({ em, users }) => {
      const [user] = await users.find({ username: HOSTILE });
      Object.assign(user ?? {}, { nickname: `${HOSTILE}!`, metadata: { [HOSTILE]: 1 } });
      await em.flush();
      return [await em.refresh(user as User)];
    },
  ],
  [
    'upsert',
    async ({ em }, { tenantId, clock }) => {
      const key = { tenant: tenantId, day: '2026-01-01', subject: 'tenant', provider: HOSTILE, model: HOSTILE };
      const row = {
        ...key,
        id: '019b796d-d600-7a00-821f-ecbc97cc4b34',
        promptTokens: NUMBER,
        createdAt: clock.now(),
        updatedAt: clock.now(),
      };
      const onConflictFields = ['tenant', 'day', 'subject', 'provider', 'model'] as const;
      await em.upsert(UsageRecord, row, { onConflictFields: [...onConflictFields] });
      await em.upsert(UsageRecord, { ...row, promptTokens: 5 }, { onConflictFields: [...onConflictFields] });
      return em.find(UsageRecord, { provider: HOSTILE, promptTokens: 5 });
    },
  ],
];

/** What is SQL itself, which nothing but MikroORM's own entity manager takes. */
const SQL_QUERIES: readonly (readonly [what: string, query: (em: SqlEntityManager) => Promise<unknown>])[] = [
  ['find with a raw fragment', (em) => em.find(User, { [raw('username = ? and ? <> ?', [HOSTILE, SIGN, 'x'])]: [] })],
  ['find with a template', (em) => em.find(User, { [sql`nickname = ${HOSTILE}`]: [] })],
  [
    'query builder',
    (em) =>
      em.createQueryBuilder(User).where({ username: HOSTILE }).andWhere('nickname = ?', [HOSTILE]).getResultList(),
  ],
  [
    'query builder with having',
    (em) =>
      em
        .createQueryBuilder(User)
        .select('id')
        .where({ username: HOSTILE })
        .groupBy('id')
        .having('count(*) < ?', [NUMBER])
        .execute(),
  ],
  [
    'execute',
    (em) =>
      em.execute('select ?? from ?? where username = ? and nickname in (?)', ['id', 'users', HOSTILE, [HOSTILE, 'x']]),
  ],
  [
    'execute with a mark of its own',
    (em) => em.execute("select id, '\\?' as mark from users where username = ?", [HOSTILE]),
  ],
  [
    'execute with names',
    (em) =>
      em.execute('select id from users where username = :name and :number > 1', {
        name: HOSTILE,
        number: NUMBER,
      } as never),
  ],
];

/** Runs `work` in a transaction of MikroORM's own entity manager, for the tenant. */
async function asOrm<T>({ persistence, tenantId }: World, work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
  return persistence.withEntityManager((em) =>
    em.transactional(async (fork) => {
      fork.setFilterParams('tenant', { tenantId });
      return work(fork);
    }),
  );
}

async function plant({ tenant, clock }: World): Promise<void> {
  clock.set(INSTANT.toISOString());
  const user = await tenant.users.create(USER);
  const chat = await tenant.conversations.start({ userId: user.id, title: HOSTILE });
  await tenant.messages.append(chat.id, { role: 'user', content: 'x', metadata: MESSAGE_METADATA, tokenCount: NUMBER });
  await tenant.documents.create({ externalId: 'd', title: HOSTILE, content: 'x' });
}

describe('the ORM of a unit of work binds every value', () => {
  it.each(QUERIES)('%s', async (_what, query) => {
    await withoutTrace(async (world) => {
      await plant(world);
      const found = await world.tenant.transaction((unit) => query(unit, world));
      expect(found).toHaveLength(1);
    });
  });
});

describe('the ORM itself binds every value in SQL of its caller', () => {
  it.each(SQL_QUERIES)('%s', async (_what, query) => {
    await withoutTrace(async (world) => {
      await plant(world);
      expect(await asOrm(world, query)).toHaveLength(1);
    });
  });
});

describe.runIf(isSqlite)('a value comes back as it went in', () => {
  it('whatever text it is', async () => {
    const { persistence } = await openAcme();
    await persistence.withEntityManager(async (em) => {
      await assert(
        asyncProperty(string({ unit: 'binary' }), array(string()), async (text, list) => {
          pre(text.isWellFormed() && !text.includes('\0'));
          const [row] = await em.execute<object[]>(
            'select ? as a, ? as b, "x"."?" as c from (select ? as "?") x'.replaceAll('"?"', '"\\?"'),
            [text, text, text],
          );
          expect(row).toEqual({ a: text, b: text, c: text });
          const [json] = await em.execute<{ v: string }[]>('select ? as v', [{ list, [text]: text }]);
          expect(JSON.parse(json?.v ?? '')).toEqual({ list, [text]: text });
        }),
        { numRuns: 200, seed: 1 },
      );
    });
  });

  it.each([
    ['null', null, null],
    ['undefined', undefined, null],
    ['true', true, 1],
    ['false', false, 0],
    ['a time', INSTANT, INSTANT.getTime()],
    ['a fraction', 0.1, 0.1],
    ['bytes', Buffer.from([0, 255, 39]), Buffer.from([0, 255, 39])],
    ['an object', { a: "'?" }, '{"a":"\'?"}'],
  ])('%s', async (_what, value, stored) => {
    const { persistence } = await openAcme();
    const rows = await persistence.withEntityManager((em) => em.execute('select ? as v', [value]));
    expect(rows).toEqual([{ v: stored }]);
  });
});
