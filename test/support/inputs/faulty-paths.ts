import type { EntityName } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import {
  ApiKey,
  Conversation,
  Document,
  Message,
  Tenant,
  UsageRecord,
  User,
  VoiceSession,
} from '../../../src/entities/index.js';
import type { PersistenceManager } from '../../../src/services/persistence-manager.js';
import { ConversationFactory, MessageFactory, TenantFactory, UserFactory } from '../../../src/seeders/factories.js';
import { createSeededSources } from '../../../src/seeders/seeded-sources.js';
import { TENANT_FILTER } from '../../../src/entities/tenant-limit.js';
import type { UnitOfWork } from '../../../src/services/unit-of-work.js';
import type { Furnished } from '../furnish.js';
import { type Fault, faultyValues, rightValues } from './faults.js';
import type { AnyEntity, PropertyRule } from './rules-of.js';

interface World {
  readonly persistence: PersistenceManager;
  readonly acme: Furnished;
}

/** A way by which values reach a table. */
export interface FaultyPath {
  readonly name: string;
  /** Whether the property can be set by it. */
  readonly takes: (rule: PropertyRule) => boolean;
  readonly write: (world: World, fault: Fault) => Promise<unknown>;
  /** Whether the value is wrong by it; every value unless given. */
  readonly isWrong?: (fault: Fault) => boolean;
  /** What the path of the issue has before the property's name. */
  readonly prefix?: string;
}

const anything = (value: unknown): never => value as never;
const given = ({ property, value }: Fault): Record<string, unknown> => ({ [property]: value });

/** MikroORM itself sets them where there is none. */
const MADE = new Set(['id', 'createdAt', 'updatedAt']);
const isNotMade = ({ property, value }: Fault): boolean => value !== null || !MADE.has(property);
const isOf =
  (entity: AnyEntity, ...properties: readonly string[]) =>
  (rule: PropertyRule): boolean =>
    rule.entity === entity && properties.includes(rule.property);

function service(
  name: string,
  entity: AnyEntity,
  properties: readonly string[],
  write: FaultyPath['write'],
): FaultyPath {
  return { name, takes: isOf(entity, ...properties), write };
}

const PROFILE = ['username', 'nickname', 'email', 'phone', 'metadata', 'role'];
const TEXT = ['title', 'content', 'contentType', 'source', 'metadata'];
const USED = ['provider', 'model', 'day', 'requests', 'promptTokens', 'completionTokens', 'audioSeconds', 'costUsd'];
const SAID = ['role', 'content', 'parts', 'modality', 'tokenCount', 'references', 'metadata'];

const SERVICES: readonly FaultyPath[] = [
  service('tenants.ensure', Tenant, ['slug', 'name', 'plan', 'config', 'quota'], ({ persistence }, fault) =>
    persistence.tenants.ensure(anything({ slug: 'new', name: 'new', ...given(fault) })),
  ),
  service('users.create', User, ['externalId', ...PROFILE], ({ acme }, fault) =>
    acme.tenant.users.create(anything({ externalId: 'new', username: 'new', ...given(fault) })),
  ),
  service('users.update', User, [...PROFILE, 'status'], ({ acme }, fault) =>
    acme.tenant.users.update(acme.userId, anything(given(fault))),
  ),
  service('apiKeys.create', ApiKey, ['name', 'scopes', 'expiresAt'], ({ acme }, fault) =>
    acme.tenant.apiKeys.create(anything({ name: 'new', ...given(fault) })),
  ),
  service('conversations.start', Conversation, ['externalId', 'title', 'summary', 'metadata'], ({ acme }, fault) =>
    acme.tenant.conversations.start(anything({ userId: acme.userId, ...given(fault) })),
  ),
  service('conversations.update', Conversation, ['title', 'summary', 'metadata'], ({ acme }, fault) =>
    acme.tenant.conversations.update(acme.conversationId, given(fault)),
  ),
  service('messages.append', Message, SAID, ({ acme }, fault) =>
    acme.tenant.messages.append(acme.conversationId, anything({ role: 'user', content: 'x', ...given(fault) })),
  ),
  service('the key of messages.append', Message, ['idempotencyKey'], ({ acme }, { value }) =>
    acme.tenant.messages.append(
      acme.conversationId,
      { role: 'user', content: 'x' },
      { idempotencyKey: anything(value) },
    ),
  ),
  service('documents.create', Document, ['externalId', ...TEXT], ({ acme }, fault) =>
    acme.tenant.documents.create(anything({ externalId: 'new', title: 'new', content: 'new', ...given(fault) })),
  ),
  service('documents.update', Document, [...TEXT, 'status'], ({ acme }, fault) =>
    acme.tenant.documents.update(acme.documentId, anything(given(fault))),
  ),
  service('voiceSessions.start', VoiceSession, ['externalId', 'config', 'metadata', 'startTime'], ({ acme }, fault) =>
    acme.tenant.voiceSessions.start(anything({ externalId: 'new', userId: acme.userId, ...given(fault) })),
  ),
  service('voiceSessions.complete', VoiceSession, ['endTime', 'audioDurationSeconds'], ({ acme }, fault) =>
    acme.tenant.voiceSessions.complete(acme.voiceSessionId, given(fault)),
  ),
  service('usage.add', UsageRecord, USED, ({ acme }, fault) =>
    acme.tenant.usage.add(anything({ provider: 'new', model: 'new', ...given(fault) })),
  ),
];

/** A unit of work of the tenant; of no tenant for what is about tenants themselves. */
function within({ persistence, acme }: World, { entity }: Fault, work: (unit: Pick<UnitOfWork, 'em'>) => unknown) {
  const run = async (unit: Pick<UnitOfWork, 'em'>): Promise<void> => void (await work(unit));
  if (entity === Tenant) return persistence.withEntityManager((em) => em.transactional((fork) => run({ em: fork })));
  return acme.tenant.transaction(run);
}

/** An entity that is right, with the wrong value set on it as a program would. */
function made({ em }: Pick<UnitOfWork, 'em'>, { entity, property, value }: Fault, acme: Furnished): object {
  const created = em.create(entity as EntityName<object>, anything(rightValues(entity, acme)), { persist: false });
  return Object.assign(created, { [property]: value });
}

const nameOf = (entity: AnyEntity): EntityName<object> => entity as EntityName<object>;

const UNITS: readonly FaultyPath[] = [
  {
    name: 'a new entity',
    takes: () => true,
    isWrong: isNotMade,
    write: (world, fault) => within(world, fault, ({ em }) => em.persist(made({ em }, fault, world.acme))),
  },
  {
    name: 'an entity that was read',
    // Nobody can change a message, whatever to. A key is not changed but taken for another row's; the others MikroORM sets itself.
    takes: ({ entity, property }) => entity !== Message && !['id', 'updatedAt', 'version'].includes(property),
    // What is written like what is there is no change, and is not written.
    isWrong: ({ property, value }) => !(value instanceof Set) && !(property === 'costUsd' && Number(value) === 0),
    write: (world, fault) =>
      within(world, fault, async ({ em }) => {
        const where = fault.entity === Tenant ? { id: world.acme.tenantId } : {};
        const [found] = await em.find(nameOf(fault.entity), where, { limit: 1 });
        Object.assign(found ?? {}, { [fault.property]: fault.value });
      }),
  },
  {
    name: 'a row of a seed',
    takes: ({ entity }) => [Tenant, User, Conversation, Message].includes(entity as never),
    isWrong: isNotMade,
    write: ({ persistence, acme }, fault) =>
      persistence.withEntityManager((em) =>
        em.transactional(async (fork) => {
          if (fault.entity !== Tenant) fork.setFilterParams(TENANT_FILTER, { tenantId: acme.tenantId });
          factoryOf(fault.entity, fork).makeOne(faultyValues(fault, acme));
        }),
      ),
  },
];

function factoryOf(entity: AnyEntity, em: SqlEntityManager) {
  const sources = createSeededSources(1);
  if (entity === Tenant) return new TenantFactory(em, sources);
  if (entity === User) return new UserFactory(em, sources);
  return entity === Conversation ? new ConversationFactory(em, sources) : new MessageFactory(em, sources);
}

/** MikroORM counts versions itself, and beside the unit of work nobody sets one. */
const isNative = ({ property }: PropertyRule): boolean => property !== 'version';

const BESIDE: readonly FaultyPath[] = [
  {
    name: 'insert',
    takes: isNative,
    write: (world, fault) =>
      within(world, fault, ({ em }) => em.insert(nameOf(fault.entity), anything(faultyValues(fault, world.acme)))),
  },
  {
    name: 'insert of an entity',
    takes: isNative,
    isWrong: isNotMade,
    write: (world, fault) => within(world, fault, ({ em }) => em.insert(made({ em }, fault, world.acme))),
  },
  {
    name: 'insertMany',
    takes: isNative,
    prefix: 'rows.1.',
    write: (world, fault) =>
      within(world, fault, ({ em }) => {
        const right = rightValues(fault.entity, world.acme);
        return em.insertMany(nameOf(fault.entity), anything([right, faultyValues(fault, world.acme), right]));
      }),
  },
  {
    name: 'upsert',
    takes: isNative,
    write: (world, fault) =>
      within(world, fault, ({ em }) => em.upsert(nameOf(fault.entity), faultyValues(fault, world.acme))),
  },
  {
    name: 'upsertMany',
    takes: isNative,
    prefix: 'rows.1.',
    write: (world, fault) =>
      within(world, fault, ({ em }) => {
        const right = rightValues(fault.entity, world.acme);
        return em.upsertMany(nameOf(fault.entity), [right, faultyValues(fault, world.acme)]);
      }),
  },
  {
    name: 'nativeUpdate',
    takes: (rule) => rule.entity !== Message && isNative(rule) && rule.rule !== 'isNotBefore',
    write: (world, fault) => within(world, fault, ({ em }) => em.nativeUpdate(nameOf(fault.entity), {}, given(fault))),
  },
  {
    name: 'nativeUpdate of both times',
    takes: (rule) => rule.rule === 'isNotBefore',
    write: (world, fault) =>
      within(world, fault, ({ em }) => {
        const { startTime } = rightValues(VoiceSession, world.acme);
        return em.nativeUpdate(VoiceSession, {}, anything({ startTime, endTime: fault.value }));
      }),
  },
];

export const FAULTY_PATHS: readonly FaultyPath[] = [...SERVICES, ...UNITS, ...BESIDE];
