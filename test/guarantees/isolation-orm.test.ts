import { wrap } from '@mikro-orm/core';
import { describe, expect, it } from 'vitest';
import { Conversation, Message, Tenant, User } from '../../src/entities/index.js';
import {
  ColloquyError,
  NotFoundError,
  ReferenceNotFoundError,
  TenantMismatchError,
  ValidationError,
} from '../../src/errors.js';
import type { UnitOfWork } from '../../src/services/unit-of-work.js';
import { openTwoTenants, type TwoTenants } from '../support/two-tenants.js';

type ErrorClass = abstract new (...parameters: never[]) => ColloquyError;
type Work = (unit: UnitOfWork, world: TwoTenants) => Promise<unknown>;

const keyOf = ({ beta }: TwoTenants) => [beta.tenantId, beta.userId] as const as never;
const betaUser = (unit: UnitOfWork, world: TwoTenants): User => unit.em.getReference(User, keyOf(world));
const betaUserRef = (unit: UnitOfWork, world: TwoTenants) =>
  unit.em.getReference(User, keyOf(world), { wrapped: true });
const betaTenantRef = (unit: UnitOfWork, { beta }: TwoTenants) =>
  unit.em.getReference(Tenant, beta.tenantId, { wrapped: true });

const READS: readonly (readonly [what: string, nothing: unknown, work: Work])[] = [
  ['find by id', [], ({ em }, { beta }) => em.find(User, { id: beta.userId })],
  ['find by a list of ids', [], ({ em }, { beta }) => em.find(User, { id: { $in: [beta.userId] } })],
  ['find by tenant', [], ({ em }, { beta }) => em.find(User, { tenant: beta.tenantId })],
  [
    'find by a condition with or',
    [],
    ({ em }, { beta }) => em.find(User, { $or: [{ tenant: beta.tenantId }, { id: beta.userId }] }),
  ],
  ['find through a relation', [], ({ em }) => em.find(Conversation, { user: { username: 'user of beta' } })],
  ['find messages through a relation', [], ({ em }) => em.find(Message, { conversation: { title: 'chat of beta' } })],
  ['find by a whole key', null, ({ em }, world) => em.findOne(User, keyOf(world))],
  [
    'find with the filter switched off',
    [],
    ({ em }, { beta }) => em.find(User, { id: beta.userId }, { filters: false }),
  ],
  [
    "find with the filter given the other's id",
    [],
    ({ em }, { beta }) => em.find(User, { id: beta.userId }, { filters: { tenant: { tenantId: beta.tenantId } } }),
  ],
  ['count', 0, ({ em }, { beta }) => em.count(User, { id: beta.userId })],
  [
    'find by cursor',
    0,
    async ({ em }, { beta }) => {
      const where = { tenant: beta.tenantId };
      return (await em.findByCursor(User, { where, first: 5, orderBy: { id: 'asc' } })).items.length;
    },
  ],
  ['load a reference', null, async (unit, world) => betaUserRef(unit, world).load()],
  [
    'initialise a reference',
    undefined,
    async (unit, world) => {
      const user = betaUser(unit, world);
      await wrap(user).init();
      return user.username;
    },
  ],
  ['refresh a reference', null, (unit, world) => unit.em.refresh(betaUser(unit, world))],
  ['find in a fork of its own', [], ({ em }, { beta }) => em.fork().find(User, { id: beta.userId })],
  ['find the other tenant itself', [], ({ em }, { beta }) => em.find(Tenant, { id: beta.tenantId })],
  ['repository, find', [], ({ users }, { beta }) => users.find({ id: beta.userId })],
];

const REFUSED: readonly (readonly [what: string, error: ErrorClass, work: Work])[] = [
  ['get by id', NotFoundError, ({ users }, { beta }) => users.get(beta.userId)],
  ['get by external id', NotFoundError, ({ users }) => users.readByExternalId('beta-user')],
  [
    'append',
    NotFoundError,
    ({ messages }, { beta }) => messages.append(beta.conversationId, { role: 'user', content: 'x' }),
  ],
  [
    'change of a reference',
    TenantMismatchError,
    async (unit, world) => {
      betaUser(unit, world).nickname = 'stolen';
    },
  ],
  ['removal of a reference', TenantMismatchError, async (unit, world) => void unit.em.remove(betaUser(unit, world))],
  [
    'change of a merged row',
    TenantMismatchError,
    async ({ em }, { beta }) => {
      const user = em.merge(User, { tenant: beta.tenantId, id: beta.userId } as never) as unknown as User;
      user.nickname = 'stolen';
    },
  ],
  [
    'tenant of a managed row set',
    TenantMismatchError,
    async (unit, world) => {
      (await unit.users.get(world.acme.userId)).tenant = betaTenantRef(unit, world);
    },
  ],
  [
    'tenant of a managed row assigned',
    TenantMismatchError,
    async (unit, world) => {
      unit.em.assign(await unit.users.get(world.acme.userId), { tenant: world.beta.tenantId } as never);
    },
  ],
  [
    'creation of a row there',
    TenantMismatchError,
    async (unit, world) => {
      unit.users.create({ externalId: 'x', username: 'x', tenant: betaTenantRef(unit, world) as never });
    },
  ],
  [
    'conversation of a user there',
    ReferenceNotFoundError,
    async (unit, world) => {
      unit.conversations.create({ user: betaUserRef(unit, world) as never });
    },
  ],
  [
    'conversation given to a user there',
    ReferenceNotFoundError,
    async (unit, world) => {
      (await unit.conversations.get(world.acme.conversationId)).user = betaUserRef(unit, world);
    },
  ],
  [
    'message into a conversation there',
    ValidationError,
    async (unit, { beta }) => {
      const conversation = unit.conversations.ref(beta.conversationId);
      unit.messages.create({ conversation, seq: 2, role: 'user', content: 'x' });
    },
  ],
  [
    'change of the other tenant itself',
    NotFoundError,
    async ({ em }, { beta }) => {
      (await em.findOneOrFail(Tenant, { id: beta.tenantId })).name = 'stolen';
    },
  ],
];

/** Statements beside the unit of work, which no subscriber sees: refused, or without effect on the other tenant's rows. */
const BESIDE: readonly (readonly [what: string, work: Work])[] = [
  ['nativeUpdate by id', ({ em }, { beta }) => em.nativeUpdate(User, { id: beta.userId }, { nickname: 'stolen' })],
  ['nativeUpdate of everything', ({ em }) => em.nativeUpdate(User, {}, { nickname: 'mine' })],
  ['nativeDelete by tenant', ({ em }, { beta }) => em.nativeDelete(Message, { tenant: beta.tenantId })],
  ['nativeDelete of everything', ({ em }) => em.nativeDelete(Message, {})],
  [
    'nativeUpdate of the other tenant itself',
    ({ em }, { beta }) => em.nativeUpdate(Tenant, { id: beta.tenantId }, { name: 'stolen' }),
  ],
];

describe("the ORM of a unit of work finds nothing of another tenant's", () => {
  it.each(READS)('%s', async (_what, nothing, work) => {
    const world = await openTwoTenants();
    const result = await world.acme.tenant.read((unit) => work(unit, world));
    expect(result).toEqual(nothing);
  });
});

describe("the ORM of a unit of work refuses to write another tenant's rows", () => {
  it.each(REFUSED)('%s', async (_what, kind, work) => {
    const world = await openTwoTenants();
    const before = await world.betaRows();
    await expect(world.acme.tenant.transaction((unit) => work(unit, world))).rejects.toBeInstanceOf(kind);
    expect(await world.betaRows()).toEqual(before);
  });

  it.each(BESIDE)('%s', async (_what, work) => {
    const world = await openTwoTenants();
    const before = await world.betaRows();
    await world.acme.tenant
      .transaction((unit) => work(unit, world))
      .catch((error: unknown) => expect(error).toBeInstanceOf(ColloquyError));
    expect(await world.betaRows()).toEqual(before);
  });
});

describe('an entity manager without a tenant', () => {
  it.each([
    ['that was never given one', undefined],
    ['whose parameters lack it', {}],
    ['whose parameter is null', { tenantId: null }],
    ['whose parameter is empty', { tenantId: '' }],
  ])('%s fails at every query, rather than find nothing or all', async (_what, parameters) => {
    const { persistence } = await openTwoTenants();
    const em = persistence.orm.em.fork();
    if (parameters) em.setFilterParams('tenant', parameters);
    await expect(em.find(User, {})).rejects.toThrow();
    await expect(em.count(User, {})).rejects.toThrow();
    await expect(em.nativeDelete(User, {})).rejects.toThrow();
    await expect(em.nativeUpdate(User, {}, { nickname: 'x' })).rejects.toThrow();
  });
});
