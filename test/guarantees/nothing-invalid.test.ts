import { describe, expect, it } from 'vitest';
import { Document, Message, VoiceSession } from '../../src/entities/index.js';
import { ColloquyError, ValidationError } from '../../src/errors.js';
import type { UnitOfWork } from '../../src/services/unit-of-work.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';
import { openTwoTenants, type TwoTenants } from '../support/two-tenants.js';

/** As it comes out of a request's body: nothing says that it is of the type. */
const body = (value: unknown): never => value as never;
const LONE = '\ud800';
const SECRET = 'hunter2-secret';

type ServiceCall = readonly [what: string, rules: readonly string[], call: (world: TwoTenants) => Promise<unknown>];

const BY_SERVICE: readonly ServiceCall[] = [
  [
    'a tenant',
    ['name isText', 'plan isIn', 'quota isJsonObject', 'slug isSlug'],
    ({ persistence }) => persistence.tenants.ensure(body({ slug: 'Not A Slug', name: '', plan: SECRET, quota: [] })),
  ],
  [
    'a user',
    [
      'email isEmail',
      'externalId isExternalId',
      'metadata isJsonObject',
      'phone isPhone',
      'role isIn',
      'username isText',
    ],
    ({ acme }) =>
      acme.tenant.users.create(
        body({ externalId: ' x', username: LONE, email: SECRET, phone: '12', metadata: [], role: SECRET }),
      ),
  ],
  [
    'a user of numbers',
    ['externalId isExternalId', 'username isText'],
    ({ acme }) => acme.tenant.users.create(body({ externalId: 7, username: 42 })),
  ],
  [
    'changes of a user',
    ['email isEmail', 'nickname isText', 'status isIn'],
    ({ acme }) => acme.tenant.users.update(acme.userId, body({ email: SECRET, nickname: '', status: SECRET })),
  ],
  [
    'a user whose name becomes a number',
    ['username isText'],
    ({ acme }) => acme.tenant.users.update(acme.userId, body({ username: 42 })),
  ],
  [
    'a conversation',
    ['externalId isExternalId', 'metadata isJsonObject', 'title isText'],
    ({ acme }) =>
      acme.tenant.conversations.start(body({ userId: acme.userId, externalId: '\n', title: '', metadata: SECRET })),
  ],
  [
    'changes of a conversation',
    ['metadata isJsonObject', 'title isText'],
    ({ acme }) => acme.tenant.conversations.update(acme.conversationId, body({ title: '\0', metadata: { n: NaN } })),
  ],
  [
    'a message',
    [
      'content isText',
      'metadata isJsonObject',
      'modality isIn',
      'parts isJsonArray',
      'references isJsonArray',
      'role isIn',
      'tokenCount isInt',
    ],
    ({ acme }) =>
      acme.tenant.messages.append(
        acme.conversationId,
        body({
          role: SECRET,
          content: LONE,
          modality: 'smell',
          tokenCount: 1.5,
          parts: {},
          references: 'x',
          metadata: [],
        }),
      ),
  ],
  [
    'an empty message',
    ['content hasContent'],
    ({ acme }) => acme.tenant.messages.append(acme.conversationId, { role: 'user', content: '', parts: [] }),
  ],
  [
    'a document',
    ['contentType isMediaType', 'externalId isExternalId', 'source isText', 'title isText'],
    ({ acme }) =>
      acme.tenant.documents.create({ externalId: '', title: '', content: 'c', contentType: SECRET, source: '' }),
  ],
  [
    'a document whose content is no text',
    ['content isText'],
    ({ acme }) => acme.tenant.documents.create(body({ externalId: 'x', title: 'x', content: { secret: SECRET } })),
  ],
  [
    'a voice session',
    ['config isJsonObject', 'externalId isExternalId', 'startTime isInstant'],
    ({ acme }) =>
      acme.tenant.voiceSessions.start(body({ externalId: '', userId: acme.userId, config: SECRET, startTime: SECRET })),
  ],
  [
    'the end of a voice session',
    ['audioDurationSeconds min', 'endTime isNotBefore'],
    ({ acme }) =>
      acme.tenant.voiceSessions.complete(acme.voiceSessionId, { endTime: new Date(0), audioDurationSeconds: -1 }),
  ],
  [
    'an end of a voice session that is no time',
    ['endTime isInstant'],
    ({ acme }) => acme.tenant.voiceSessions.complete(acme.voiceSessionId, body({ endTime: SECRET })),
  ],
  [
    'metadata at the end of a voice session',
    ['metadata isJsonObject'],
    ({ acme }) => acme.tenant.voiceSessions.complete(acme.voiceSessionId, body({ metadata: SECRET })),
  ],
  [
    'an API key',
    ['expiresAt isInstant', 'name isText', 'scopes areScopes'],
    ({ acme }) => acme.tenant.apiKeys.create(body({ name: '', scopes: [SECRET.toUpperCase()], expiresAt: 'tomorrow' })),
  ],
  [
    'usage',
    ['costUsd isMoney', 'day isDay', 'model isText', 'requests isInt'],
    ({ acme }) =>
      acme.tenant.usage.add(body({ provider: 'p', model: '', day: '2026-02-30', requests: 0.5, costUsd: SECRET })),
  ],
  [
    'usage of an operator',
    ['provider isText'],
    ({ acme }) => acme.tenant.usage.add(body({ provider: { $ne: SECRET }, model: 'm' })),
  ],
  [
    'less usage than nothing',
    ['promptTokens min'],
    async ({ acme }) => {
      await acme.tenant.usage.add({ provider: 'p', model: 'm', promptTokens: 10 });
      await acme.tenant.usage.add({ provider: 'p', model: 'm', promptTokens: -4 });
    },
  ],
];

/** What is unknown or no key is named beside the broken rules, not before them. */
const AT_ONCE: readonly ServiceCall[] = [
  [
    'a new user',
    ['email isEmail', 'tenant allowed', 'username isText'],
    ({ acme }) => acme.tenant.users.create(body({ externalId: 'x', username: '', email: SECRET, tenant: SECRET })),
  ],
  [
    'a new conversation',
    ['title isText', 'userId isString', 'version allowed'],
    ({ acme }) => acme.tenant.conversations.start(body({ title: '', version: 3 })),
  ],
  [
    'changes of a user that is none',
    ['id isString', 'ifVersion version', 'tenant allowed', 'username isText'],
    ({ acme }) =>
      acme.tenant.users.update(body(7), body({ username: '', tenant: SECRET }), { ifVersion: body(SECRET) }),
  ],
  [
    'a message',
    ['content isText', 'conversationId isString', 'idempotencyKey isExternalId', 'role isIn', 'seq allowed'],
    ({ acme }) =>
      acme.tenant.messages.append(body({}), body({ role: null, content: 1, seq: 9 }), {
        idempotencyKey: ' ',
      }),
  ],
  [
    'an API key',
    ['hash allowed', 'name isText', 'userId isString'],
    ({ acme }) => acme.tenant.apiKeys.create(body({ name: '', userId: 7, hash: SECRET })),
  ],
  [
    'a voice session',
    ['conversationId isString', 'externalId isExternalId', 'startTime isInstant', 'state allowed', 'userId isString'],
    ({ acme }) =>
      acme.tenant.voiceSessions.start(body({ externalId: '', conversationId: 7, startTime: null, state: SECRET })),
  ],
  [
    'the end of a voice session',
    ['endTime isNotBefore', 'state allowed'],
    ({ acme }) =>
      acme.tenant.voiceSessions.complete(acme.voiceSessionId, body({ endTime: new Date(0), state: SECRET })),
  ],
  [
    'usage',
    ['costUsd isMoney', 'id allowed', 'userId isString'],
    ({ acme }) => acme.tenant.usage.add(body({ provider: 'p', model: 'm', costUsd: 'x', userId: 7, id: SECRET })),
  ],
];

const IMMUTABLE: readonly ServiceCall[] = [
  [
    'the checksum of a document',
    ['checksum allowed'],
    ({ acme }) => acme.tenant.documents.update(acme.documentId, body({ checksum: 'a'.repeat(64) })),
  ],
  [
    'the external id of a user',
    ['externalId allowed'],
    ({ acme }) => acme.tenant.users.update(acme.userId, body({ externalId: 'other' })),
  ],
  [
    'the counters of a conversation',
    ['messageCount allowed', 'version allowed'],
    ({ acme }) => acme.tenant.conversations.update(acme.conversationId, body({ messageCount: 9, version: 9 })),
  ],
  [
    'the state of a new voice session',
    ['status allowed'],
    ({ acme }) => acme.tenant.voiceSessions.start(body({ externalId: 'x', userId: acme.userId, status: 'completed' })),
  ],
  [
    'the hash of a new API key',
    ['hash allowed', 'prefix allowed'],
    ({ acme }) => acme.tenant.apiKeys.create(body({ name: 'x', hash: 'x', prefix: 'x' })),
  ],
];

type Work = (unit: UnitOfWork, world: TwoTenants) => Promise<unknown>;

const BY_UNIT_OF_WORK: readonly (readonly [what: string, rules: readonly string[], work: Work])[] = [
  [
    'a new entity',
    ['email isEmail', 'username isText'],
    async (unit) => unit.users.create({ externalId: 'x', username: '', email: SECRET }),
  ],
  [
    'a new entity persisted',
    ['content isText'],
    async ({ em }) =>
      em.persist(em.create(Document, { externalId: 'x', title: 'x', content: '\0', checksum: '0'.repeat(64) })),
  ],
  [
    'a changed entity',
    ['nickname isText'],
    async (unit, { acme }) => {
      (await unit.users.get(acme.userId)).nickname = '';
    },
  ],
  [
    'JSON changed in place',
    ['metadata isJsonObject'],
    async (unit, { acme }) => {
      (await unit.users.get(acme.userId)).metadata['at'] = new Date(0);
    },
  ],
  [
    'a time that another is measured by',
    ['endTime isNotBefore'],
    async (unit, { acme }) => {
      await acme.tenant.voiceSessions.complete(acme.voiceSessionId);
      const session = await unit.em.findOneOrFail(VoiceSession, { id: acme.voiceSessionId }, { refresh: true });
      await unit.flush();
      session.startTime = new Date('2040-01-01T00:00:00Z');
    },
  ],
  [
    'several entities',
    ['content isText', 'email isEmail', 'seq denseSequence', 'username isText'],
    async (unit, { acme }) => {
      unit.users.create({ externalId: 'x', username: '', email: SECRET });
      const conversation = unit.conversations.ref(acme.conversationId);
      unit.messages.create({ conversation, seq: 2, role: 'user', content: '\0' });
    },
  ],
];

/** What no subscriber sees: refused by one of the stated errors, or written as valid rows only. */
const BESIDE: readonly (readonly [what: string, work: Work])[] = [
  [
    'a message that leaves a gap',
    async (unit, { acme }) => {
      await unit.conversations.get(acme.conversationId);
      const conversation = unit.conversations.ref(acme.conversationId);
      unit.messages.create({ conversation, seq: 99, role: 'user', content: 'gap' });
    },
  ],
  [
    'a message that is not counted',
    async (unit, { acme }) => {
      const conversation = unit.conversations.ref(acme.conversationId);
      unit.messages.create({ conversation, seq: 2, role: 'user', content: 'uncounted' });
    },
  ],
  [
    'a counter that counts no messages',
    async (unit, { acme }) => {
      (await unit.conversations.get(acme.conversationId)).messageCount = 500;
    },
  ],
  [
    'a message that changes',
    async (unit, { acme }) => {
      (await unit.messages.get(acme.messageId)).seq = 7;
    },
  ],
  ['a message that goes', async ({ em, messages }, { acme }) => em.remove(await messages.get(acme.messageId))],
];

async function dump({ persistence }: TwoTenants): Promise<unknown> {
  const tables = ['tenants', 'users', 'api_keys', 'conversations', 'messages', 'documents', 'voice_sessions'];
  const connection = persistence.orm.em.getConnection();
  const rows = tables.map((table) => connection.execute(`select * from ${table} order by created_at, id`));
  return Promise.all(rows);
}

describe('by a service, every broken rule is named at once and nothing is written', () => {
  it.each([...BY_SERVICE, ...AT_ONCE, ...IMMUTABLE])('%s', async (_what, rules, call) => {
    const world = await openTwoTenants();
    const before = await dump(world);
    const error = await rejectionOf(call(world), ValidationError);
    expect(brokenRules(error)).toEqual(rules);
    for (const issue of error.issues) {
      expect(issue).toEqual({
        path: issue.path,
        rule: issue.rule,
        message: expect.any(String),
        kind: expect.any(String),
        ...(issue.constraints && { constraints: expect.any(Array) }),
      });
    }
    expect(JSON.stringify([error.message, error.toJSON()]).toLowerCase()).not.toContain(SECRET);
    expect(await dump(world)).toEqual(before);
  });
});

describe('by a unit of work, nothing invalid is committed, nor what came with it', () => {
  it.each(BY_UNIT_OF_WORK)('%s', async (_what, rules, work) => {
    const world = await openTwoTenants();
    const before = await dump(world);
    const done = world.acme.tenant.transaction(async (unit) => {
      unit.users.create({ externalId: 'valid', username: 'valid' });
      await work(unit, world);
    });
    const error = await rejectionOf(done, ValidationError);
    expect(brokenRules(error)).toEqual(rules);
    expect(await dump(world)).toEqual(before);
  });
});

describe('beside the rules, nothing invalid is committed either', () => {
  it.each(BESIDE)('%s', async (_what, work) => {
    const world = await openTwoTenants();
    const before = await dump(world);
    const error: unknown = await world.acme.tenant
      .transaction((unit) => work(unit, world))
      .catch((reason: unknown) => reason);
    expect(await dump(world)).toEqual(before);
    expect(error).toBeInstanceOf(ColloquyError);
  });
});

it('null and undefined in place of input are refused as such', async () => {
  const { acme } = await openTwoTenants();
  for (const nothing of [null, undefined]) {
    await rejectionOf(acme.tenant.users.create(body(nothing)), ValidationError);
    await rejectionOf(acme.tenant.messages.append(acme.conversationId, body(nothing)), ValidationError);
  }
  await rejectionOf(acme.tenant.conversations.start(body({})), ValidationError);
});

it('a conversation of no user is refused with the name of what is missing', async () => {
  const { acme } = await openTwoTenants();
  const error = await rejectionOf(acme.tenant.conversations.start(body({ title: 'x' })), ValidationError);
  expect(error.entity).toBe('Conversation');
  expect(error.issues.map(({ path }) => path)).toEqual(['userId']);
});

it('a message is judged by what it holds, also where it is empty', async () => {
  const { acme } = await openTwoTenants();
  const append = acme.tenant.messages.append.bind(acme.tenant.messages, acme.conversationId);
  await append({ role: 'user', content: '', modality: 'voice' });
  await append({ role: 'tool', content: '', parts: [{ type: 'tool_call' }] });
  const stored = await acme.tenant.read(({ em }) => em.count(Message, {}));
  expect(stored).toBe(3);
});
