import { raw } from '@mikro-orm/core';
import { describe, expect, it } from 'vitest';
import { Conversation, Document, Message, Tenant, User, VoiceSession } from '../../src/entities/index.js';
import { type ColloquyError, InvalidStateError, ValidationError } from '../../src/errors.js';
import type { UnitOfWork } from '../../src/services/unit-of-work.js';
import { freshUrl } from '../support/engine-under-test.js';
import type { Furnished } from '../support/furnish.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';
import { useSharedWorld, withSubscriber } from '../support/shared-world.js';

type Work = (unit: UnitOfWork, acme: Furnished) => Promise<unknown>;

const SECRET = 'my secret value';
const ID = '01890000-0000-7000-8000-00000000000a';
const NOW = new Date('2026-01-01T12:00:00.000Z');
const STAMPS = { id: ID, createdAt: NOW, updatedAt: NOW };
const USER = { externalId: 'new', username: 'new', metadata: {} };
const BAD_USER = { ...USER, username: '', email: SECRET };
const BAD = ['email isEmail', 'username isText'];
const SECOND_BAD = BAD.map((rule) => `rows.1.${rule}`);

const message = (acme: Furnished) => ({
  ...STAMPS,
  conversation: [acme.tenantId, acme.conversationId] as never,
  seq: 2,
  role: 'user' as const,
  content: 'x',
});
const conversation = (acme: Furnished) => ({
  ...STAMPS,
  user: [acme.tenantId, acme.userId] as never,
  metadata: {},
});
const made = ({ em }: UnitOfWork, data: object): User => em.create(User, data as never, { persist: false });

const INVALID: readonly (readonly [what: string, rules: readonly string[], work: Work])[] = [
  ['insert', BAD, ({ em }) => em.insert(User, { ...STAMPS, ...BAD_USER })],
  ['insert of an entity', BAD, (unit) => unit.em.insert(made(unit, { ...STAMPS, ...BAD_USER }))],
  [
    'insert of SQL',
    ['nickname isText'],
    ({ em }) => em.insert(User, { ...STAMPS, ...USER, nickname: raw('lower(?)', ['X']) }),
  ],
  [
    'SQL where nobody sets a value',
    ['version version'],
    async ({ users }) => {
      users.create({ externalId: 'x', username: 'x' }).version = raw<number>('(select 1)');
    },
  ],
  [
    'insertMany',
    SECOND_BAD,
    ({ em }) =>
      em.insertMany(User, [
        { ...STAMPS, ...USER },
        { ...STAMPS, ...BAD_USER },
      ]),
  ],
  [
    'insertMany of entities',
    SECOND_BAD,
    (unit) => unit.em.insertMany([made(unit, { ...STAMPS, ...USER }), made(unit, { ...STAMPS, ...BAD_USER })]),
  ],
  [
    'insertMany of entities of two kinds',
    ['rows oneKind'],
    (unit) => {
      const document = unit.em.create(Document, { externalId: 'x' } as never, { persist: false });
      return unit.em.insertMany([made(unit, { ...STAMPS, ...USER }), document as never]);
    },
  ],
  ['upsert', BAD, ({ em }) => em.upsert(User, BAD_USER)],
  ['upsert of an entity', BAD, (unit) => unit.em.upsert(made(unit, BAD_USER))],
  ['upsertMany', SECOND_BAD, ({ em }) => em.upsertMany(User, [USER, BAD_USER])],
  ['upsertMany of entities', SECOND_BAD, (unit) => unit.em.upsertMany([made(unit, USER), made(unit, BAD_USER)])],
  [
    'many rows of which several are bad, each with its place',
    ['rows.0.email isEmail', 'rows.0.username isText', 'rows.2.nickname isText', 'rows.2.wrong allowed'],
    ({ em }) => em.insertMany(User, [BAD_USER, USER, { ...USER, nickname: '', wrong: 1 } as never]),
  ],
  [
    'a reference that must be, among all else that is wrong',
    ['title isText', 'user notNull'],
    ({ em }) => em.insert(Conversation, { ...STAMPS, metadata: {}, title: '' } as never),
  ],
  [
    'a new entity without a reference that must be',
    ['title isText', 'user notNull'],
    async ({ em }) => em.persist(em.create(Conversation, { title: '' } as never)),
  ],
  [
    'a reference that must be, taken away',
    ['user notNull'],
    ({ em }) => em.nativeUpdate(Conversation, {}, { user: null }),
  ],
  [
    'what MikroORM would lose on the way',
    ['metadata protoKey'],
    ({ em }) => em.upsert(User, { ...USER, metadata: JSON.parse('{"a":[{"__proto__":1}]}') }),
  ],
  [
    'what cannot even be compared, and all else that is wrong',
    ['metadata isJsonObject', 'username isText'],
    async ({ users }) => {
      users.create({ externalId: 'x', username: '' }).metadata = { big: 1n };
    },
  ],
  [
    'what cannot be compared in a row that was read',
    ['metadata isJsonObject'],
    async ({ users }, acme) => {
      const { metadata } = await users.get(acme.userId);
      metadata['self'] = metadata;
    },
  ],
  [
    'upsert with a key that is none',
    ['onConflictFields tenantKey'],
    ({ em }) => em.upsert(User, USER, { onConflictFields: ['externalId'] }),
  ],
  ['nativeUpdate', BAD, ({ em }) => em.nativeUpdate(User, {}, { username: '', email: SECRET })],
  ['nativeUpdate to SQL', ['nickname isText'], ({ em }) => em.nativeUpdate(User, {}, { nickname: raw<string>('1') })],
  [
    'nativeUpdate of what is no property',
    ['__proto__ allowed', 'external_id allowed', 'version allowed'],
    ({ em }) => em.nativeUpdate(User, {}, JSON.parse('{"external_id":"x","version":9,"__proto__":{"role":"admin"}}')),
  ],
  [
    'nativeUpdate of a tenant',
    ['name isText'],
    ({ em }, acme) => em.nativeUpdate(Tenant, { id: acme.tenantId }, { name: '' }),
  ],
  [
    'the end of a call without its start',
    ['endTime together'],
    ({ em }) => em.nativeUpdate(VoiceSession, {}, { endTime: new Date('1999-01-01T00:00:00Z') }),
  ],
  [
    'the start of a call without its end',
    ['startTime together'],
    ({ em }) => em.nativeUpdate(VoiceSession, {}, { startTime: new Date('2999-01-01T00:00:00Z') }),
  ],
  [
    'the start of a call that is there already without its end',
    ['startTime together'],
    ({ em }, acme) =>
      em.upsert(
        VoiceSession,
        {
          externalId: `${acme.tenant.slug}-call`,
          user: [acme.tenantId, acme.userId] as never,
          startTime: new Date('2999-01-01T00:00:00Z'),
          config: {},
          metadata: {},
        },
        { onConflictFields: ['tenant', 'externalId'], onConflictMergeFields: ['startTime'] },
      ),
  ],
  [
    'the end of a call whose start was not loaded',
    ['endTime together'],
    async ({ em }, acme) => {
      const key = { id: acme.voiceSessionId };
      const session = await em.findOneOrFail(VoiceSession, key, { fields: ['endTime', 'status'] });
      session.endTime = new Date('1999-01-01T00:00:00Z');
    },
  ],
  [
    'a document that search would not find',
    ['content kept', 'title kept'],
    ({ em }) =>
      em.insert(Document, {
        ...STAMPS,
        externalId: 'x',
        title: 'x',
        content: 'x',
        contentType: 'text/plain',
        checksum: '0'.repeat(64),
        metadata: {},
      }),
  ],
  [
    'a text that search would not find',
    ['content kept'],
    ({ documents }) => documents.nativeUpdate({}, { content: 'other' }),
  ],
  ['a message inserted', ['seq denseSequence'], ({ em }, acme) => em.insert(Message, message(acme))],
  ['messages inserted', ['rows.0.seq denseSequence'], ({ em }, acme) => em.insertMany(Message, [message(acme)])],
  [
    'a message over another',
    ['seq denseSequence'],
    ({ em }, acme) =>
      em.upsert(
        Message,
        { ...message(acme), seq: 1 },
        { onConflictFields: ['tenant', 'conversation', 'seq'] as never },
      ),
  ],
  [
    'a counter that counts no messages',
    ['messageCount denseSequence'],
    ({ em }, acme) => em.insert(Conversation, { ...conversation(acme), messageCount: 5 }),
  ],
  [
    'a counter set back',
    ['messageCount denseSequence'],
    ({ em }) => em.nativeUpdate(Conversation, {}, { messageCount: 0 }),
  ],
  [
    'a counter set back by an upsert',
    ['messageCount denseSequence'],
    ({ em }, acme) => em.upsert(Conversation, { ...conversation(acme), id: acme.conversationId, messageCount: 0 }),
  ],
  [
    'a counter that was not loaded',
    ['messageCount denseSequence'],
    async ({ conversations }, acme) => {
      conversations.ref(acme.conversationId).unwrap().messageCount = 0;
    },
  ],
  [
    'what a subscriber spoils after it was judged',
    ['username isText'],
    (unit) =>
      withSubscriber(unit, { beforeCreate: ({ entity }) => void ((entity as User).username = '') }, async () => {
        unit.users.create({ externalId: 'x', username: 'good' });
        await unit.flush();
      }),
  ],
  [
    'what a subscriber adds to a flush',
    ['username isText'],
    (unit) =>
      withSubscriber(
        unit,
        {
          onFlush({ em, uow }) {
            uow.computeChangeSet(em.create(User, { externalId: 'y', username: '', metadata: {} } as never));
          },
        },
        async () => {
          unit.users.create({ externalId: 'x', username: 'good' });
          await unit.flush();
        },
      ),
  ],
  [
    'what a subscriber spoils before an upsert',
    ['username isText'],
    (unit) =>
      withSubscriber(unit, { beforeUpsert: ({ entity }) => void ((entity as User).username = '') }, () =>
        unit.em.upsert(User, USER),
      ),
  ],
];

const ACCEPTED: readonly (readonly [what: string, error: abstract new (...p: never[]) => ColloquyError, work: Work])[] =
  [
    ['changed', InvalidStateError, ({ em }) => em.nativeUpdate(Message, {}, { content: 'other' })],
    ['removed', InvalidStateError, ({ em }, acme) => em.nativeDelete(Message, { id: acme.messageId })],
    ['changed by a repository', InvalidStateError, ({ messages }) => messages.nativeUpdate({}, { content: 'other' })],
    ['removed by a repository', InvalidStateError, ({ messages }) => messages.nativeDelete({})],
  ];

const world = useSharedWorld(freshUrl);

async function assertRefused<E extends ColloquyError>(
  kind: abstract new (...parameters: never[]) => E,
  work: Work,
): Promise<E> {
  const acme = await world().anotherTenant();
  const before = await world().rowsOf(acme.tenantId);
  const error = await rejectionOf(
    acme.tenant.transaction(async (unit) => {
      unit.users.create({ externalId: 'valid', username: 'valid' });
      await work(unit, acme);
    }),
    kind,
  );
  expect(JSON.stringify([error.message, error.toJSON()])).not.toContain(SECRET);
  expect(await world().rowsOf(acme.tenantId)).toBe(before);
  return error;
}

describe('beside the unit of work nothing invalid is written, nor what came with it', () => {
  it.each(INVALID)('%s', async (_what, rules, work) => {
    expect(brokenRules(await assertRefused(ValidationError, work))).toEqual(rules);
  });
});

describe('beside the unit of work no accepted message is', () => {
  it.each(ACCEPTED)('%s', async (_what, kind, work) => {
    await assertRefused(kind, work);
  });
});

describe('beside the unit of work, what is valid is written, as a row of the tenant', () => {
  it('inserted', async () => {
    const acme = await world().anotherTenant();
    await acme.tenant.transaction(async ({ em }) => {
      await em.insert(User, { ...STAMPS, ...USER });
      const many = [2, 3].map((digit) => ({ ...STAMPS, ...USER, id: ID.replace(/a$/, String(digit)) }));
      await em.insertMany(
        User,
        many.map((user, index) => ({ ...user, externalId: `many-${String(index)}` })),
      );
    });
    expect(await acme.tenant.users.get(ID)).toMatchObject({ tenantId: acme.tenantId, username: 'new', role: 'user' });
    expect((await acme.tenant.users.getByExternalId('many-1')).id).toBe(ID.replace(/a$/, '3'));
  });

  it('inserted or, where it is there already, changed', async () => {
    const acme = await world().anotherTenant();
    const onConflictFields = ['tenant', 'externalId'] as const;
    for (const username of ['first', 'second']) {
      const options = { onConflictFields: [...onConflictFields] };
      await acme.tenant.transaction(({ em }) => em.upsert(User, { ...USER, username }, options));
      await acme.tenant.transaction(({ em }) => em.upsertMany(User, [{ ...USER, externalId: 'm', username }], options));
    }
    expect(await acme.tenant.users.getByExternalId('new')).toMatchObject({ username: 'second' });
    expect(await acme.tenant.users.getByExternalId('m')).toMatchObject({ username: 'second' });
    expect((await acme.tenant.users.list()).items).toHaveLength(3);
  });

  it('changed and removed', async () => {
    const acme = await world().anotherTenant();
    await acme.tenant.transaction(async ({ em, users, documents }) => {
      expect(await users.nativeUpdate({ id: acme.userId }, { nickname: 'nick', tenant: acme.tenantId })).toBe(1);
      const times = { startTime: NOW, endTime: new Date(NOW.getTime() + 1_000) };
      expect(await em.nativeUpdate(VoiceSession, {}, times)).toBe(1);
      expect(await documents.nativeDelete({})).toBe(1);
    });
    expect(await acme.tenant.users.get(acme.userId)).toMatchObject({ nickname: 'nick' });
  });

  it('changed in part, where only a part was loaded', async () => {
    const acme = await world().anotherTenant();
    await acme.tenant.transaction(async ({ em }) => {
      const key = { id: acme.conversationId };
      (await em.findOneOrFail(Conversation, key, { fields: ['title'] })).title = 'renamed';
    });
    expect(await acme.tenant.conversations.get(acme.conversationId)).toMatchObject({
      title: 'renamed',
      messageCount: 1,
    });
  });
});
