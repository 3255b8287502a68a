import { LockMode, type Ref, wrap } from '@mikro-orm/core';
import {
  Conversation,
  Document,
  IdempotencyKey,
  Message,
  Tenant,
  User,
  VoiceSession,
} from '../../../src/entities/index.js';
import { NotFoundError, TenantMismatchError, ValidationError } from '../../../src/errors.js';
import type { UnitOfWork } from '../../../src/services/unit-of-work.js';
import { harmless, type Probe, type ProbeWorld, reading, refused, sees, writing } from './probe.js';

const keyOf = ({ beta }: ProbeWorld) => [beta.tenantId, beta.userId] as const as never;
const betaUser = ({ em }: UnitOfWork, world: ProbeWorld): User => em.getReference(User, keyOf(world));
const betaUserRef = ({ em }: UnitOfWork, world: ProbeWorld): Ref<User> =>
  em.getReference(User, keyOf(world), { wrapped: true });
/** A conversation of beta's, as if acme had loaded it. */
const betaChat = ({ em }: UnitOfWork, { beta }: ProbeWorld): Conversation =>
  em.map(Conversation, { tenant_id: beta.tenantId, id: beta.conversationId, user_id: beta.userId } as never);

const FINDERS: readonly Probe[] = [
  sees(
    'find by id',
    [],
    reading(({ em }, { beta }) => em.find(User, { id: beta.userId })),
  ),
  sees(
    'find by a list of ids',
    [],
    reading(({ em }, { beta }) => em.find(User, { id: { $in: [beta.userId] } })),
  ),
  sees(
    'find by whole keys',
    [],
    reading(({ em }, world) => em.find(User, [keyOf(world)] as never)),
  ),
  sees(
    'find of idempotency keys',
    1,
    reading(
      async ({ em }) => (await em.find(IdempotencyKey, { idempotencyKey: { $in: ['req-1', 'beta-request'] } })).length,
    ),
  ),
  sees(
    'find by tenant',
    [],
    reading(({ em }, { beta }) => em.find(User, { tenant: beta.tenantId })),
  ),
  sees(
    'find by the slug of a tenant',
    [],
    reading(({ em }) => em.find(Document, { tenant: { slug: 'beta' } })),
  ),
  sees(
    'find by a condition with or',
    [],
    reading(({ em }, { beta }) => em.find(User, { $or: [{ tenant: beta.tenantId }, { id: beta.userId }] })),
  ),
  sees(
    'find by a condition with not',
    [],
    reading(({ em }, { acme }) => em.find(User, { $not: { tenant: acme.tenantId } })),
  ),
  sees(
    'find by a condition with and, nested',
    [],
    reading(({ em }, { acme, beta }) =>
      em.find(User, { $and: [{ $or: [{ tenant: beta.tenantId }, { $not: { tenant: acme.tenantId } }] }] }),
    ),
  ),
  sees(
    'find by a tenant that is not',
    [],
    reading(({ em }, { acme }) => em.find(User, { tenant: { $ne: acme.tenantId } })),
  ),
  sees(
    'find by a pattern',
    [],
    reading(({ em }) => em.find(User, { externalId: { $like: 'beta%' } })),
  ),
  sees(
    'find by a JSON property',
    [],
    reading(({ em }) => em.find(User, { metadata: { of: 'beta' } })),
  ),
  sees(
    'find by a JSON property whose name is SQL',
    [],
    reading(({ em }) => em.find(User, { metadata: { "of') is not null or (1 = 1) --": 'beta' } })),
  ),
  sees(
    'find through a relation',
    [],
    reading(({ em }) => em.find(Conversation, { user: { username: 'user of beta' } })),
  ),
  sees(
    'find messages through a relation',
    [],
    reading(({ em }) => em.find(Message, { conversation: { title: 'chat of beta' } })),
  ),
  sees(
    'find with populate and its condition',
    [],
    reading(({ em }, { beta }) =>
      em.find(VoiceSession, { user: { tenant: beta.tenantId } }, {
        populate: ['user', 'conversation'],
        populateWhere: { user: { id: beta.userId } },
      } as never),
    ),
  ),
  harmless(
    'find by a union of conditions',
    reading(({ em }, { beta }) =>
      em.find(User, {}, { unionWhere: [{ id: beta.userId }, { externalId: 'beta-user' }] }),
    ),
  ),
  sees(
    'find by a whole key',
    null,
    reading(({ em }, world) => em.findOne(User, keyOf(world))),
  ),
  sees(
    'find by an entity',
    null,
    reading((unit, world) => unit.em.findOne(User, betaUser(unit, world))),
  ),
  refused(
    'find or fail',
    NotFoundError,
    reading(({ em }, { beta }) => em.findOneOrFail(User, { id: beta.userId })),
  ),
  sees(
    'find the whole table',
    true,
    reading(async ({ em }, { acme }) => (await em.findAll(Document)).map(({ id }) => id).join() === acme.documentId),
  ),
  sees(
    'find and count',
    [[], 0],
    reading(({ em }, { beta }) => em.findAndCount(User, { id: beta.userId })),
  ),
  sees(
    'count',
    0,
    reading(({ em }, { beta }) => em.count(User, { id: beta.userId })),
  ),
  sees(
    'count by a union of conditions',
    0,
    reading(({ em }, { beta }) => em.count(User, {}, { unionWhere: [{ id: beta.userId }] })),
  ),
  sees(
    'count by groups',
    { active: 1 },
    reading(({ em }) => em.countBy(Conversation, 'status')),
  ),
  sees(
    'count by tenants',
    1,
    reading(async ({ em }) => Object.keys(await em.countBy(User, 'tenant')).length),
  ),
  sees(
    'find by cursor',
    0,
    reading(async ({ em }, { beta }) => {
      const where = { tenant: beta.tenantId };
      return (await em.findByCursor(User, { where, first: 5, orderBy: { id: 'asc' } })).items.length;
    }),
  ),
  sees(
    "find behind another's cursor",
    [],
    reading(async ({ em }, { acme, beta }) => {
      const options = { first: 500, after: { id: beta.userId }, orderBy: { id: 'asc' } } as const;
      return (await em.findByCursor(User, options)).items.filter(({ tenant }) => tenant.id !== acme.tenantId);
    }),
  ),
  sees(
    'stream',
    [],
    writing(async ({ em }, { acme }) => {
      const found: string[] = [];
      for await (const user of em.stream(User, { where: { $not: { tenant: acme.tenantId } } })) found.push(user.id);
      return found;
    }),
  ),
  sees(
    'find the other tenant itself',
    [],
    reading(({ em }, { beta }) => em.find(Tenant, { id: beta.tenantId })),
  ),
  sees(
    'find tenants',
    1,
    reading(async ({ em }) => (await em.find(Tenant, {})).length),
  ),
  sees(
    'find by a repository',
    [],
    reading(({ users }, { beta }) => users.find({ id: beta.userId })),
  ),
  sees(
    'find by a repository of the ORM',
    [],
    reading(({ em }, { beta }) => em.getRepository(User).find({ id: beta.userId })),
  ),
  refused(
    'get by a repository',
    NotFoundError,
    writing(({ users }, { beta }) => users.get(beta.userId)),
  ),
  refused(
    'get by a repository, to change it',
    NotFoundError,
    writing(({ users }, { beta }) => users.getForChange(beta.userId)),
  ),
  refused(
    'read by a repository',
    NotFoundError,
    reading(({ users }) => users.readByExternalId('beta-user')),
  ),
  sees(
    'read ids by a repository',
    new Map(),
    reading(({ users }) => users.readIdsByExternalId(['beta-user'])),
  ),
  sees(
    'count by a repository',
    1,
    reading(({ users }) => users.countRows()),
  ),
  sees(
    'a condition that names a column',
    [],
    reading(({ em }, { beta }) => em.find(User, { tenant_id: beta.tenantId } as never)),
  ),
  refused(
    'a condition that is an operator of nobody',
    ValidationError,
    reading(({ em }) => em.find(User, { username: { '$where; --': 'x' } } as never)),
  ),
  refused(
    'an order that is SQL',
    ValidationError,
    reading(({ em }) => em.find(User, {}, { orderBy: { username: 'asc, (select 1)' as never } })),
  ),
];

const REFERENCES: readonly Probe[] = [
  sees(
    'load a reference',
    null,
    reading((unit, world) => betaUserRef(unit, world).load()),
  ),
  refused(
    'load a reference or fail',
    NotFoundError,
    reading((unit, world) => betaUserRef(unit, world).loadOrFail()),
  ),
  sees(
    'initialise a reference',
    undefined,
    reading(async (unit, world) => {
      const user = betaUser(unit, world);
      await wrap(user).init();
      return user.username;
    }),
  ),
  sees(
    'refresh a reference',
    null,
    reading((unit, world) => unit.em.refresh(betaUser(unit, world))),
  ),
  sees(
    'populate what was merged',
    null,
    reading(async (unit, world) => {
      const chat = betaChat(unit, world);
      await unit.em.populate([chat], ['user']);
      return chat.user;
    }),
  ),
  sees(
    'refresh what was merged',
    null,
    reading((unit, world) => unit.em.refresh(betaChat(unit, world))),
  ),
  sees(
    'load through what was merged',
    null,
    reading((unit, world) => betaChat(unit, world).user.load()),
  ),
  refused(
    'lock a reference',
    TenantMismatchError,
    writing((unit, world) => unit.em.lock(betaUser(unit, world), LockMode.PESSIMISTIC_WRITE)),
  ),
  refused(
    'lock what was merged and taken over',
    TenantMismatchError,
    writing((unit, world) => {
      const chat = betaChat(unit, world);
      chat.tenant = unit.em.getReference(Tenant, world.acme.tenantId, { wrapped: true });
      return unit.em.lock(chat, LockMode.PESSIMISTIC_WRITE);
    }),
  ),
  sees(
    'find with a lock',
    [],
    writing(({ em }, { beta }) => em.find(User, { id: beta.userId }, { lockMode: LockMode.PESSIMISTIC_WRITE })),
  ),
];

export const ORM_READ_PROBES: readonly Probe[] = [...FINDERS, ...REFERENCES];
