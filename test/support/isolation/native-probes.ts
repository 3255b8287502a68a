import { ref } from '@mikro-orm/core';
import {
  ApiKey,
  Conversation,
  Document,
  IdempotencyKey,
  Message,
  Task,
  Tenant,
  UsageRecord,
  User,
  VoiceSession,
} from '../../../src/entities/index.js';
import {
  InvalidStateError,
  ReferenceNotFoundError,
  TenantMismatchError,
  ValidationError,
} from '../../../src/errors.js';
import { insertRows } from '../../../src/repositories/insert-rows.js';
import { harmless, type Probe, type ProbeWorld, refused, sees, writing } from './probe.js';

const NOW = new Date('2026-01-01T12:00:00.000Z');
const ID = '01890000-0000-7000-8000-00000000000a';
const STAMPS = { id: ID, createdAt: NOW, updatedAt: NOW };
const USER = { externalId: 'x', username: 'x', metadata: {} };
const stolen = ({ beta }: ProbeWorld) => ({ ...STAMPS, ...USER, tenant: beta.tenantId });
const userThere = ({ beta }: ProbeWorld) => [beta.tenantId, beta.userId] as never;
const userHere = ({ acme }: ProbeWorld) => [acme.tenantId, acme.userId] as never;

/** Statements beside the unit of work. */
const STATEMENTS: readonly Probe[] = [
  sees(
    'nativeUpdate by id',
    0,
    writing(({ em }, { beta }) => em.nativeUpdate(User, { id: beta.userId }, { nickname: 'x' })),
  ),
  sees(
    'nativeUpdate by a whole key',
    0,
    writing(({ em }, world) => em.nativeUpdate(User, userThere(world), { nickname: 'x' })),
  ),
  harmless(
    'nativeUpdate of everything',
    writing(({ em }) => em.nativeUpdate(User, {}, { nickname: 'mine' })),
  ),
  harmless(
    'nativeUpdate without filters',
    writing(({ em }) => em.nativeUpdate(User, {}, { nickname: 'mine' }, { filters: false })),
  ),
  sees(
    'nativeUpdate by a union of conditions',
    0,
    writing(({ em }, { beta }) => em.nativeUpdate(User, {}, { nickname: 'x' }, { unionWhere: [{ id: beta.userId }] })),
  ),
  harmless(
    'nativeUpdate as an upsert',
    writing(({ em }, { beta }) =>
      em.nativeUpdate(User, { tenant: beta.tenantId, id: beta.userId }, { nickname: 'x' }, { upsert: true } as never),
    ),
  ),
  harmless(
    "nativeUpdate as an upsert over another tenant's slug",
    writing(({ em }, { acme }) => {
      const options = { upsert: true, onConflictFields: ['slug'], onConflictExcludeFields: ['id'] };
      const tenant = { id: acme.tenantId, slug: 'beta', name: 'stolen', config: {}, quota: {} };
      const stamps = { createdAt: NOW, updatedAt: NOW };
      return em.nativeUpdate(Tenant, {}, { ...tenant, ...stamps }, options as never);
    }),
  ),
  sees(
    'nativeUpdate of the other tenant itself',
    0,
    writing(({ em }, { beta }) => em.nativeUpdate(Tenant, { id: beta.tenantId }, { name: 'stolen' })),
  ),
  sees(
    'nativeDelete by tenant',
    0,
    writing(({ em }, { beta }) => em.nativeDelete(Document, { tenant: beta.tenantId })),
  ),
  harmless(
    'nativeDelete of everything',
    writing(({ em }) => em.nativeDelete(Document, {})),
  ),
  harmless(
    'nativeDelete without filters',
    writing(({ em }) => em.nativeDelete(Document, {}, { filters: false })),
  ),
  refused(
    'nativeDelete of messages',
    InvalidStateError,
    writing(({ em }) => em.nativeDelete(Message, {})),
  ),
  // Where row-level security stands, a tenant has no right to delete any tenant.
  harmless(
    'nativeDelete of the other tenant itself',
    writing(({ em }, { beta }) => em.nativeDelete(Tenant, { id: beta.tenantId })),
  ),
  sees(
    'nativeUpdate by a repository',
    0,
    writing(({ users }, { beta }) => users.nativeUpdate({ id: beta.userId }, { nickname: 'x' })),
  ),
  sees(
    'nativeDelete by a repository',
    0,
    writing(({ documents }, { beta }) => documents.nativeDelete({ id: beta.documentId })),
  ),
];

/** Data of such statements that belongs to the other tenant. */
const DATA: readonly Probe[] = [
  refused(
    'insert there',
    TenantMismatchError,
    writing(({ em }, world) => em.insert(User, stolen(world))),
  ),
  refused(
    'insert there by a reference',
    TenantMismatchError,
    writing(({ em }, { beta }) => em.insert(User, { ...STAMPS, ...USER, tenant: ref(Tenant, beta.tenantId) as never })),
  ),
  refused(
    'insert there by an entity',
    TenantMismatchError,
    writing(({ em }, world) => em.insert(em.create(User, stolen(world) as never, { persist: false }))),
  ),
  refused(
    'insert there by a column',
    ValidationError,
    writing(({ em }, { beta }) => em.insert(User, { ...STAMPS, ...USER, tenant_id: beta.tenantId } as never)),
  ),
  refused(
    'insert there by an object',
    TenantMismatchError,
    writing(({ em }, { beta }) =>
      em.insert(User, { ...STAMPS, ...USER, tenant: { toString: () => beta.tenantId } as never }),
    ),
  ),
  refused(
    'insertMany there',
    TenantMismatchError,
    writing(({ em }, world) =>
      em.insertMany(User, [{ ...STAMPS, ...USER, tenant: world.acme.tenantId }, stolen(world)] as never),
    ),
  ),
  refused(
    'insertMany there by entities',
    TenantMismatchError,
    writing(({ em }, world) => em.insertMany([em.create(User, stolen(world) as never, { persist: false })])),
  ),
  refused(
    'insert by a repository there',
    TenantMismatchError,
    writing(({ users }, world) => users.insert(stolen(world))),
  ),
  refused(
    'insert of a conversation of a user there',
    ReferenceNotFoundError,
    writing(({ em }, world) => em.insert(Conversation, { ...STAMPS, metadata: {}, user: userThere(world) })),
  ),
  refused(
    'insert of a call of what is named by its id alone',
    ReferenceNotFoundError,
    writing(({ em }, { beta }) =>
      em.insert(VoiceSession, {
        ...STAMPS,
        externalId: 'x',
        config: {},
        metadata: {},
        startTime: NOW,
        user: beta.userId as never,
      }),
    ),
  ),
  refused(
    'upsert there',
    TenantMismatchError,
    writing(({ em }, world) => em.upsert(User, stolen(world))),
  ),
  refused(
    "upsert over another's row",
    TenantMismatchError,
    writing(({ em }, { beta }) => em.upsert(User, { ...USER, tenant: beta.tenantId, id: beta.userId })),
  ),
  refused(
    "upsert over another's row by an entity",
    TenantMismatchError,
    writing(({ em }, { beta }) => {
      const given = { ...USER, tenant: beta.tenantId, id: beta.userId };
      return em.upsert(em.create(User, given as never, { persist: false }));
    }),
  ),
  sees(
    "upsert over another's id",
    true,
    writing(
      async ({ em }, { acme, beta }) =>
        (await em.upsert(User, { ...USER, id: beta.userId })).tenant.id === acme.tenantId,
    ),
  ),
  refused(
    'upsert by a key without the tenant',
    ValidationError,
    writing(({ em }) => em.upsert(User, { ...USER, externalId: 'beta-user' }, { onConflictFields: ['externalId'] })),
  ),
  refused(
    'upsert by no key at all',
    ValidationError,
    writing(({ em }) =>
      em.upsert(User, { ...USER, externalId: 'beta-user' }, { onConflictFields: [], onConflictAction: 'ignore' }),
    ),
  ),
  refused(
    'upsertMany there',
    TenantMismatchError,
    writing(({ em }, world) => em.upsertMany(User, [stolen(world)] as never)),
  ),
  refused(
    'upsertMany without the identity map',
    TenantMismatchError,
    writing(({ em }, world) => em.upsertMany(User, [stolen(world)] as never, { disableIdentityMap: true })),
  ),
  refused(
    "upsert over another tenant's slug",
    TenantMismatchError,
    writing(({ em }) =>
      em.upsert(Tenant, { slug: 'beta', name: 'stolen', config: {}, quota: {} }, { onConflictFields: ['slug'] }),
    ),
  ),
  refused(
    "upsert of the own tenant over another's slug",
    TenantMismatchError,
    writing(({ em }, { acme }) =>
      em.upsert(
        Tenant,
        { id: acme.tenantId, slug: 'beta', name: 'stolen', config: {}, quota: {} },
        { onConflictFields: ['slug'] },
      ),
    ),
  ),
  refused(
    'insert of another tenant',
    TenantMismatchError,
    writing(({ em }) => em.insert(Tenant, { ...STAMPS, slug: 'third', name: 'x', config: {}, quota: {} })),
  ),
  refused(
    'nativeUpdate that gives rows away',
    TenantMismatchError,
    writing(({ em }, { beta }) => em.nativeUpdate(Document, {}, { tenant: beta.tenantId })),
  ),
  refused(
    'nativeUpdate that gives rows away by a column',
    ValidationError,
    writing(({ em }, { beta }) => em.nativeUpdate(Document, {}, { tenant_id: beta.tenantId } as never)),
  ),
  refused(
    'nativeUpdate to a user there',
    ReferenceNotFoundError,
    writing(({ em }, world) => em.nativeUpdate(Conversation, {}, { user: userThere(world) })),
  ),
  refused(
    'nativeUpdate to what is named by a column of the tenant',
    ReferenceNotFoundError,
    writing(({ em }, { beta }) => em.nativeUpdate(ApiKey, {}, { user: beta.tenantId as never })),
  ),
  refused(
    'nativeUpdate to a user there by an object',
    ReferenceNotFoundError,
    writing(({ em }, { beta }) =>
      em.nativeUpdate(UsageRecord, {}, { user: { tenant: beta.tenantId, id: beta.userId } }),
    ),
  ),
  refused(
    'rows handed over in bulk under the name of the other',
    TenantMismatchError,
    writing(async ({ em }, { beta }) => insertRows(em, User, [await beta.tenant.users.get(beta.userId)])),
  ),
  refused(
    'messages handed over in bulk into a conversation there',
    ReferenceNotFoundError,
    writing(async ({ em }, { acme, beta }) => {
      const message = await acme.tenant.messages.get(acme.messageId);
      const foreign = { ...message, id: ID, seq: 2, idempotencyKey: null, conversationId: beta.conversationId };
      await insertRows(em, Message, [foreign]);
    }),
  ),
];

const owned = (entity: { readonly tenantId: string }, { acme }: ProbeWorld): boolean =>
  entity.tenantId === acme.tenantId;

/** The key of a row there is free here, and what is written under it is another row. */
const OWN_KEYS: readonly Probe[] = [
  sees('the id of a user there, taken here', true, async (world) => {
    const { acme, beta } = world;
    await acme.tenant.transaction(({ em }) => em.insert(User, { ...STAMPS, ...USER, id: beta.userId }));
    return owned(await acme.tenant.users.get(beta.userId), world);
  }),
  sees('the id of a document there, taken here', true, async (world) => {
    const { acme, beta } = world;
    const document = { id: beta.documentId, externalId: 'x', title: 'x', content: 'x', checksum: '0'.repeat(64) };
    await acme.tenant.transaction(async ({ documents }) => void documents.create(document));
    return owned(await acme.tenant.documents.get(beta.documentId), world);
  }),
  sees('the id of a document there, taken here, and the document changed', ['mine'], async ({ acme, beta }) => {
    const document = { id: beta.documentId, externalId: 'x', title: 'x', content: 'x', checksum: '0'.repeat(64) };
    await acme.tenant.transaction(async ({ documents }) => void documents.create(document));
    await acme.tenant.documents.update(beta.documentId, { title: 'mine' });
    return (await acme.tenant.documents.search('mine')).map(({ document: { title } }) => title);
  }),
  sees('the id of a document that was removed here, taken again', ['again'], async ({ acme }) => {
    const document = { id: acme.documentId, externalId: 'x', title: 'again', content: 'x', checksum: '0'.repeat(64) };
    await acme.tenant.transaction(({ documents }) => documents.nativeDelete({ id: acme.documentId }));
    await acme.tenant.transaction(async ({ documents }) => void documents.create(document));
    return (await acme.tenant.documents.search('again')).map(({ document: { title } }) => title);
  }),
  sees('the id of a conversation there, taken here, with a message', 1, async (world) => {
    const { acme, beta } = world;
    const chat = { ...STAMPS, user: userHere(world), metadata: {}, id: beta.conversationId };
    await acme.tenant.transaction(({ em }) => em.insert(Conversation, chat));
    return (await acme.tenant.messages.append(beta.conversationId, { role: 'user', content: 'x' })).seq;
  }),
  sees('the id of a message there, taken here', true, async (world) => {
    const { acme, beta } = world;
    await acme.tenant.transaction(async ({ em }) => {
      const message = await acme.tenant.messages.get(acme.messageId);
      await insertRows(em, Message, [{ ...message, id: beta.messageId, seq: 2, idempotencyKey: null }]);
    });
    return owned(await acme.tenant.messages.get(beta.messageId), world);
  }),
  sees('the id of a call there, taken here', true, async (world) => {
    const { acme, beta } = world;
    const call = { externalId: 'x', user: userHere(world), startTime: NOW, config: {}, metadata: {} };
    await acme.tenant.transaction(({ em }) => em.insert(VoiceSession, { ...STAMPS, ...call, id: beta.voiceSessionId }));
    return owned(await acme.tenant.voiceSessions.get(beta.voiceSessionId), world);
  }),
  sees('the id of a task there, taken here', true, async (world) => {
    const { acme, beta } = world;
    const task = { ...STAMPS, workflowId: 'x', query: 'x', metadata: {}, id: beta.taskId };
    await acme.tenant.transaction(({ em }) => em.insert(Task, task));
    return owned(await acme.tenant.tasks.get(beta.taskId), world);
  }),
  sees('the id of an idempotency key there, taken here', 1, async ({ acme, beta }) => {
    const id = await beta.tenant.read(async ({ em }) => (await em.findOneOrFail(IdempotencyKey, {})).id);
    const key = { ...STAMPS, operation: 'x', idempotencyKey: 'x', digest: '0'.repeat(64), result: {}, id };
    await acme.tenant.transaction(({ em }) => em.insert(IdempotencyKey, key));
    return acme.tenant.read(({ em }) => em.count(IdempotencyKey, { id }));
  }),
  sees('the id and the prefix of an API key there, taken here', 'revoked', async ({ acme, beta }) => {
    const key = { name: 'x', prefix: beta.apiKey.prefix, hash: '0'.repeat(64), scopes: [] };
    await acme.tenant.transaction(({ em }) => em.insert(ApiKey, { ...STAMPS, ...key, id: beta.apiKey.id }));
    return (await acme.tenant.apiKeys.revoke(beta.apiKey.id)).status;
  }),
  sees('the id of a record of usage there, taken here', 1, async ({ acme, beta }) => {
    const [record] = await beta.tenant.usage.list({ from: '0001-01-01', to: '9999-12-31' });
    const usage = { day: '2020-01-01', subject: 'tenant', provider: 'x', model: 'x', id: record?.id ?? '' };
    await acme.tenant.transaction(({ em }) => em.insert(UsageRecord, { ...STAMPS, ...usage }));
    return (await acme.tenant.usage.list({ from: '2020-01-01', to: '2020-01-01' })).length;
  }),
];

export const NATIVE_PROBES: readonly Probe[] = [...STATEMENTS, ...DATA, ...OWN_KEYS];
