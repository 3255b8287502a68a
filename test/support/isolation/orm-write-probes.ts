import { type Ref } from '@mikro-orm/core';
import { Conversation, Document, Message, Tenant, User } from '../../../src/entities/index.js';
import { NotFoundError, ReferenceNotFoundError, TenantMismatchError, ValidationError } from '../../../src/errors.js';
import type { UnitOfWork } from '../../../src/services/unit-of-work.js';
import { withSubscriber } from '../shared-world.js';
import { type Probe, type ProbeWorld, refused, sees, writing } from './probe.js';

const betaKey = ({ beta }: ProbeWorld) => [beta.tenantId, beta.userId] as const as never;
const betaUser = ({ em }: UnitOfWork, world: ProbeWorld): User => em.getReference(User, betaKey(world));
const betaUserRef = ({ em }: UnitOfWork, world: ProbeWorld): Ref<User> =>
  em.getReference(User, betaKey(world), { wrapped: true });
const tenantRef = ({ em }: UnitOfWork, { tenantId }: { readonly tenantId: string }): Ref<Tenant> =>
  em.getReference(Tenant, tenantId, { wrapped: true });
/** A document of beta's, as if acme had loaded it. */
const betaDocument = ({ em }: UnitOfWork, { beta }: ProbeWorld): Document =>
  em.merge(Document, { tenant: beta.tenantId, id: beta.documentId } as never) as unknown as Document;

export const ORM_WRITE_PROBES: readonly Probe[] = [
  refused(
    'a change of a reference',
    TenantMismatchError,
    writing(async (unit, world) => {
      betaUser(unit, world).nickname = 'stolen';
    }),
  ),
  refused(
    'an assignment to a reference',
    TenantMismatchError,
    writing(async (unit, world) => {
      unit.em.assign(betaUser(unit, world), { nickname: 'stolen' });
    }),
  ),
  refused(
    'the removal of a reference',
    TenantMismatchError,
    writing(async (unit, world) => {
      unit.em.remove(betaUser(unit, world));
    }),
  ),
  refused(
    'a change of a row that was merged',
    TenantMismatchError,
    writing(async (unit, world) => {
      betaDocument(unit, world).title = 'stolen';
    }),
  ),
  refused(
    'a change of a row that was mapped',
    TenantMismatchError,
    writing(async ({ em }, { beta }) => {
      em.map(Document, { tenant_id: beta.tenantId, id: beta.documentId } as never).title = 'stolen';
    }),
  ),
  refused(
    'a change of a row that was made as if it were there',
    TenantMismatchError,
    writing(async ({ em }, { beta }) => {
      const given = { tenant: beta.tenantId, id: beta.documentId, title: 'x' };
      em.create(Document, given as never, { managed: true }).title = 'stolen';
    }),
  ),
  refused(
    'a row that was merged, taken over',
    TenantMismatchError,
    writing(async (unit, world) => {
      const document = betaDocument(unit, world);
      document.tenant = tenantRef(unit, world.acme);
      document.title = 'stolen';
    }),
  ),
  refused(
    'a row that was merged, taken over and removed',
    TenantMismatchError,
    writing(async (unit, world) => {
      const document = betaDocument(unit, world);
      document.tenant = tenantRef(unit, world.acme);
      unit.em.remove(document);
    }),
  ),
  refused(
    'a managed row given away',
    TenantMismatchError,
    writing(async (unit, { acme, beta }) => {
      (await unit.users.get(acme.userId)).tenant = tenantRef(unit, beta);
    }),
  ),
  refused(
    'a managed row given away by an assignment',
    TenantMismatchError,
    writing(async (unit, { acme, beta }) => {
      unit.em.assign(await unit.users.get(acme.userId), { tenant: beta.tenantId } as never);
    }),
  ),
  refused(
    'an assignment through a relation',
    ReferenceNotFoundError,
    writing(async (unit, { acme, beta }) => {
      const chat = await unit.conversations.get(acme.conversationId);
      const user = { tenant: beta.tenantId, id: beta.userId, nickname: 'stolen' };
      unit.em.assign(chat, { user } as never, { merge: true, updateNestedEntities: true });
    }),
  ),
  refused(
    'a new row there',
    TenantMismatchError,
    writing(async (unit, { beta }) => {
      unit.users.create({ externalId: 'x', username: 'x', tenant: tenantRef(unit, beta) as never });
    }),
  ),
  refused(
    'a new row there, persisted',
    TenantMismatchError,
    writing(async ({ em }, { beta }) => {
      const user = em.create(User, { externalId: 'x', username: 'x', tenant: beta.tenantId as never });
      em.persist(user);
    }),
  ),
  refused(
    'a new row there, behind one of the own',
    TenantMismatchError,
    writing(async (unit, { beta }) => {
      const user = unit.em.create(User, { externalId: 'x', username: 'x', tenant: beta.tenantId } as never, {
        persist: false,
      });
      unit.em.persist(unit.em.create(Conversation, { user } as never, { persist: false }));
    }),
  ),
  refused(
    'another tenant',
    TenantMismatchError,
    writing(async ({ em }) => {
      em.create(Tenant, { slug: 'third', name: 'x' });
    }),
  ),
  refused(
    'a conversation of a user there',
    ReferenceNotFoundError,
    writing(async (unit, world) => {
      unit.conversations.create({ user: betaUserRef(unit, world) as never });
    }),
  ),
  refused(
    'a conversation given to a user there',
    ReferenceNotFoundError,
    writing(async (unit, world) => {
      (await unit.conversations.get(world.acme.conversationId)).user = betaUserRef(unit, world);
    }),
  ),
  refused(
    'a conversation given to a user there by the id alone',
    ReferenceNotFoundError,
    writing(async (unit, world) => {
      (await unit.conversations.get(world.acme.conversationId)).user = unit.users.ref(world.beta.userId);
    }),
  ),
  refused(
    'a conversation given to a user there by a whole key',
    ValidationError,
    writing(async (unit, world) => {
      (await unit.conversations.get(world.acme.conversationId)).user = unit.users.ref(betaKey(world));
    }),
  ),
  refused(
    'a message into a conversation there',
    ValidationError,
    writing(async (unit, { beta }) => {
      const conversation = unit.conversations.ref(beta.conversationId);
      unit.messages.create({ conversation, seq: 2, role: 'user', content: 'x' });
    }),
  ),
  refused(
    'a message taken out of a conversation there',
    TenantMismatchError,
    writing(async ({ em }, { beta }) => {
      em.remove(em.getReference(Message, [beta.tenantId, beta.messageId] as never));
    }),
  ),
  refused(
    'a change of the other tenant itself',
    NotFoundError,
    writing(async ({ em }, { beta }) => {
      (await em.findOneOrFail(Tenant, { id: beta.tenantId })).name = 'stolen';
    }),
  ),
  refused(
    'a change of a reference to the other tenant',
    TenantMismatchError,
    writing(async ({ em }, { beta }) => {
      em.getReference(Tenant, beta.tenantId).name = 'stolen';
    }),
  ),
  refused(
    'the removal of the other tenant',
    TenantMismatchError,
    writing(async ({ em }, { beta }) => {
      em.remove(em.getReference(Tenant, beta.tenantId));
    }),
  ),
  refused(
    'an entity that the other tenant has loaded',
    TenantMismatchError,
    writing(async ({ em }, { beta }) => {
      const user = await beta.tenant.read(({ users }) => users.get(beta.userId));
      user.nickname = 'stolen';
      em.persist(user);
    }),
  ),
  refused(
    'an entity of the other tenant, in a transaction over both',
    TenantMismatchError,
    ({ persistence, acme, beta }) =>
      persistence.transaction(async () => {
        const user = await beta.tenant.transaction(({ users }) => users.get(beta.userId));
        await acme.tenant.transaction(async ({ em }) => {
          em.merge(user);
          user.nickname = 'stolen';
        });
      }),
  ),
  refused(
    'a reference to the other tenant, in a transaction over both',
    ReferenceNotFoundError,
    ({ persistence, acme, beta }) =>
      persistence.transaction(async () => {
        const user = await beta.tenant.transaction(({ users }) => users.get(beta.userId));
        await acme.tenant.transaction(async ({ em, conversations }) => {
          conversations.create({
            user: em.getReference(User, [user.tenant.id, user.id] as never, { wrapped: true }) as never,
          });
        });
      }),
  ),
  refused('a flush inside the other tenant', TenantMismatchError, ({ acme, beta }) =>
    acme.tenant.transaction(async (unit) => {
      await beta.tenant.transaction(async ({ users }) => {
        unit.em.persist(await users.get(beta.userId)).remove(await users.get(beta.userId));
        await unit.em.flush();
      });
    }),
  ),
  refused(
    'what a subscriber does to a new row',
    TenantMismatchError,
    writing((unit, { beta }) =>
      withSubscriber(
        unit,
        { beforeCreate: ({ entity }) => void ((entity as User).tenant = tenantRef(unit, beta)) },
        async () => {
          unit.users.create({ externalId: 'x', username: 'x' });
          await unit.em.flush();
        },
      ),
    ),
  ),
  refused(
    'what a subscriber does to the data of a new row',
    TenantMismatchError,
    writing((unit, { beta }) =>
      withSubscriber(
        unit,
        { beforeCreate: ({ changeSet }) => void Object.assign(changeSet?.payload ?? {}, { tenant: beta.tenantId }) },
        async () => {
          unit.users.create({ externalId: 'x', username: 'x' });
          await unit.em.flush();
          // A later flush is not to find it.
          unit.em.clear();
        },
      ),
    ),
  ),
  refused(
    'what a subscriber does to a changed row',
    TenantMismatchError,
    writing((unit, { acme, beta }) =>
      withSubscriber(
        unit,
        { beforeUpdate: ({ entity }) => void ((entity as User).tenant = tenantRef(unit, beta)) },
        async () => {
          (await unit.users.get(acme.userId)).nickname = 'x';
          await unit.em.flush();
        },
      ),
    ),
  ),
  refused(
    'what a subscriber does to a removed row',
    TenantMismatchError,
    writing((unit, { acme, beta }) =>
      withSubscriber(
        unit,
        {
          beforeDelete({ entity }) {
            Object.assign(entity, { tenant: tenantRef(unit, beta), id: beta.documentId });
          },
        },
        async () => {
          unit.em.remove(await unit.documents.get(acme.documentId));
          await unit.em.flush();
          unit.em.clear();
        },
      ),
    ),
  ),
  refused(
    'what a subscriber does to a removed reference',
    TenantMismatchError,
    writing((unit, { acme, beta }) =>
      withSubscriber(
        unit,
        {
          beforeDelete({ entity }) {
            Object.assign(entity, { tenant: tenantRef(unit, beta), id: beta.documentId });
          },
        },
        async () => {
          unit.em.remove(unit.documents.ref(acme.documentId).unwrap());
          await unit.em.flush();
          unit.em.clear();
        },
      ),
    ),
  ),
  refused(
    'what a subscriber adds to a flush',
    TenantMismatchError,
    writing((unit, world) =>
      withSubscriber(
        unit,
        {
          onFlush({ uow }) {
            const document = betaDocument(unit, world);
            document.title = 'stolen';
            uow.computeChangeSet(document);
          },
        },
        async () => {
          (await unit.users.get(world.acme.userId)).nickname = 'x';
          await unit.em.flush();
        },
      ),
    ),
  ),
  refused(
    'what a subscriber does before an upsert',
    TenantMismatchError,
    writing((unit, { beta }) =>
      withSubscriber(
        unit,
        { beforeUpsert: ({ entity }) => void Object.assign(entity, { tenant: beta.tenantId }) },
        () => unit.em.upsert(User, { externalId: 'x', username: 'x', metadata: {} }),
      ),
    ),
  ),
  sees(
    'a fork with other listeners',
    'TenantMismatchError',
    writing(async (unit, world) => {
      const fork = unit.em.fork({ freshEventManager: true, keepTransactionContext: true });
      fork.getReference(User, betaKey(world)).nickname = 'stolen';
      return fork.flush().then(
        () => 'flushed',
        (error: Error) => error.name,
      );
    }),
  ),
  sees(
    'a fork with the same listeners, cloned',
    'TenantMismatchError',
    writing(async (unit, world) => {
      const fork = unit.em.fork({ cloneEventManager: true, keepTransactionContext: true });
      fork.getReference(User, betaKey(world)).nickname = 'stolen';
      return fork.flush().then(
        () => 'flushed',
        (error: Error) => error.name,
      );
    }),
  ),
];
