import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Conversation } from '../../src/entities/conversation.js';
import { User } from '../../src/entities/user.js';
import { NotFoundError } from '../../src/errors.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { availableRedis } from '../support/available-redis.js';
import { freshUrl } from '../support/engine-under-test.js';
import { type Furnished, furnish } from '../support/furnish.js';
import { createGate } from '../support/gate.js';
import { talk, turns } from '../support/invented-archive.js';
import { SOON } from '../support/redis-links.js';
import { rejectionOf } from '../support/rejection.js';
import { archiveFile, jsonLines } from '../interchange/archive-files.js';

const KINDS = ['users', 'conversations', 'messages', 'documents', 'voiceSessions', 'tasks', 'history'] as const;
/** Whoever writes waits until nobody reads what was before. A machine that is busy may be away from Redis for a moment. */
const STRONG = Object.fromEntries(KINDS.map((kind) => [kind, { consistency: 'strong' as const }]));

const server = await availableRedis();
const redisUrl = typeof server === 'string' ? '' : server.url;
const why = typeof server === 'string' ? ` (without Redis, and so without other processes: ${server})` : '';

/** Two managers of one database that cache, and one that does not. */
interface World {
  readonly databaseUrl: string;
  readonly writer: PersistenceManager;
  readonly reader: PersistenceManager;
  readonly plain: PersistenceManager;
}

/** Makes changes in one manager, and gives nothing. */
type Path = (given: Furnished & { readonly world: World }) => Promise<unknown>;

const AGAIN = { nickname: 'again' };

const PATHS: Readonly<Record<string, Path>> = {
  'a service': ({ tenant, userId }) => tenant.users.update(userId, AGAIN),
  'a unit of work': ({ tenant, userId }) =>
    tenant.transaction(async ({ users }) => {
      (await users.get(userId)).nickname = 'again';
    }),
  'a flush inside a unit of work': ({ tenant, userId }) =>
    tenant.transaction(async ({ em, users }) => {
      (await users.get(userId)).nickname = 'again';
      await em.flush();
    }),
  'an update beside the unit of work': ({ tenant, userId }) =>
    tenant.transaction(({ em }) => em.nativeUpdate(User, { id: userId }, AGAIN)),
  'an update of all rows': ({ tenant }) => tenant.transaction(({ em }) => em.nativeUpdate(User, {}, AGAIN)),
  'an upsert by the id': ({ tenant, userId, world }) =>
    tenant.transaction(({ em }) => em.upsert(User, { ...upserted(world), id: userId, externalId: tenant.slug })),
  'an upsert by the external id, under another id': ({ tenant, world }) =>
    tenant.transaction(({ em }) =>
      em.upsert(
        User,
        { ...upserted(world), id: world.writer.sources.ids.next(), externalId: `${tenant.slug}-user` },
        { onConflictFields: ['tenant', 'externalId'], onConflictMergeFields: ['nickname'] },
      ),
    ),
  'a transaction over several tenants': ({ tenant, userId, world }) =>
    world.writer.transaction(async () => {
      await tenant.users.update(userId, AGAIN);
      await world.writer.tenant('beta').users.create({ externalId: tenant.slug, username: 'of another' });
    }),
  'a call that joins a unit of work': ({ tenant, userId }) =>
    tenant.transaction(() => tenant.users.update(userId, AGAIN)),
  'a unit of work whose part is taken back': ({ tenant, userId }) =>
    tenant.transaction(async () => {
      await tenant.users.update(userId, AGAIN);
      await tenant.users.update(userId, { username: '' }).catch(() => undefined);
    }),
  'another external id': ({ tenant, userId }) =>
    tenant.transaction(async ({ users }) => {
      (await users.get(userId)).externalId = `${tenant.slug}-moved`;
    }),
  'an external id that goes over to a new row': ({ tenant, userId }) =>
    tenant.transaction(async ({ em }) => {
      await em.nativeUpdate(User, { id: userId }, { externalId: `${tenant.slug}-moved` });
      await tenant.users.create({ externalId: `${tenant.slug}-user`, username: 'the next' });
    }),
  'an append': ({ tenant, conversationId }) => tenant.messages.append(conversationId, turn('second')),
  'an append under a key': ({ tenant, conversationId }) =>
    tenant.messages.append(conversationId, turn('second'), { idempotencyKey: 'second' }),
  'appends at once': ({ tenant, conversationId }) =>
    Promise.all(['a', 'b', 'c', 'd'].map((text) => tenant.messages.append(conversationId, turn(text)))),
  'an append inside a unit of work': ({ tenant, conversationId }) =>
    tenant.transaction(({ messages }) => messages.append(conversationId, turn('second'))),
  'an end of the conversation': ({ tenant, conversationId }) => tenant.conversations.archive(conversationId),
  'another title': ({ tenant, conversationId }) => tenant.conversations.update(conversationId, { title: 'again' }),
  'another text of a document': ({ tenant, documentId }) =>
    tenant.documents.update(documentId, { title: 'again', content: 'again' }),
  'the end of a task': ({ tenant, taskId }) => tenant.tasks.complete(taskId, 'done'),
  'the end of a call': ({ tenant, voiceSessionId }) => tenant.voiceSessions.complete(voiceSessionId),
  'a deletion of a call, and of its conversation with all messages': ({ tenant, conversationId }) =>
    tenant.transaction(async ({ voiceSessions, conversations }) => {
      await voiceSessions.nativeDelete({ conversation: { id: conversationId } });
      await conversations.nativeDelete({ id: conversationId });
    }),
  'a deletion of a conversation as an entity': ({ tenant, conversationId }) =>
    tenant.transaction(async ({ em, voiceSessions }) => {
      await voiceSessions.nativeDelete({ conversation: { id: conversationId } });
      em.remove(await em.findOneOrFail(Conversation, { id: conversationId }));
    }),
};

function turn(content: string) {
  return { role: 'user', content } as const;
}

/** What a row needs that is written beside the unit of work. */
function upserted({ writer }: World) {
  const now = writer.sources.clock.now();
  return { createdAt: now, updatedAt: now, username: 'upserted', metadata: {}, ...AGAIN };
}

/** Everything of a tenant that can be cached, as reads give it. */
async function rowsOf(
  { users, conversations, messages, documents, voiceSessions, tasks, slug }: TenantContext,
  ids: Furnished,
) {
  const reads = [
    users.get(ids.userId),
    users.getByExternalId(`${slug}-user`),
    conversations.get(ids.conversationId),
    conversations.getByExternalId(`${slug}-chat`),
    messages.get(ids.messageId),
    messages.history(ids.conversationId),
    messages.history(ids.conversationId, { last: 1 }),
    documents.get(ids.documentId),
    documents.getByExternalId(`${slug}-document`),
    voiceSessions.get(ids.voiceSessionId),
    voiceSessions.getByExternalId(`${slug}-call`),
    tasks.get(ids.taskId),
    tasks.getByWorkflowId(`${slug}-workflow`),
  ];
  return (await Promise.allSettled<unknown>(reads)).map((each) => {
    return each.status === 'fulfilled' ? each.value : (each.reason as Error).name;
  });
}

/** What the cached managers say is what the database has. */
async function expectTruth(read: () => Promise<unknown[][]>): Promise<unknown[]> {
  for (const attempt of ['at first', 'from then on']) {
    const [writer, reader, truth = []] = await read();
    expect({ attempt, rows: writer }).toEqual({ attempt, rows: truth });
    expect({ attempt, rows: reader }).toEqual({ attempt, rows: truth });
  }
  return (await read())[2] ?? [];
}

function managersOf({ writer, reader, plain }: World): PersistenceManager[] {
  return [writer, reader, plain];
}

/** How often each kind was loaded. */
function loadsOf({ cache }: PersistenceManager): unknown[] {
  return Object.entries(cache.statistics().regions).map(([kind, { loads }]) => [kind, loads]);
}

function findTalk({ conversations }: TenantContext) {
  return conversations.getByExternalId('shop:talk');
}

describe(`What is cached of a database${why}`, () => {
  let world: World;
  let tenants = 0;
  beforeAll(async () => {
    const databaseUrl = await freshUrl();
    const open = (cache: typeof STRONG | false) => PersistenceManager.open({ databaseUrl, redisUrl, cache });
    world = { databaseUrl, writer: await open(STRONG), reader: await open(STRONG), plain: await open(false) };
    await world.writer.tenants.ensure({ slug: 'beta', name: 'Beta' });
  });
  afterAll(async () => {
    await world?.writer.cache.clear();
    for (const manager of world ? managersOf(world) : []) await manager.close();
    if (typeof server !== 'string') await server.close();
  });

  /** A tenant whose rows are cached by all who cache. */
  async function cachedTenant() {
    const slug = `tenant-${String((tenants += 1))}`;
    const ids = await furnish(world.writer, slug);
    const views = managersOf(world).map((manager) => manager.tenant(slug));
    const read = () => Promise.all(views.map((tenant) => rowsOf(tenant, ids)));
    await read();
    return { ids, slug, read, views };
  }

  it.skipIf(typeof server === 'string')('is answered without the database', async () => {
    const { ids, slug } = await cachedTenant();
    await using manager = await PersistenceManager.open({ databaseUrl: world.databaseUrl, redisUrl });
    // A machine that is busy may have to do without Redis for a moment.
    await vi.waitFor(async () => {
      const before = loadsOf(manager);
      await rowsOf(manager.tenant(slug), ids);
      expect(loadsOf(manager)).toEqual(before);
    }, SOON);
  });

  it.each(Object.entries(PATHS))('is what the database has after %s', async (_name, path) => {
    const { ids, read } = await cachedTenant();
    const before = await expectTruth(read);
    await path({ ...ids, world });
    expect(await expectTruth(read)).not.toEqual(before);
  });

  it('is what the database has after a user was deleted, by the id and by the external id', async () => {
    const { slug, views } = await cachedTenant();
    for (const how of ['statement', 'entity']) {
      const { id } = await world.writer.tenant(slug).users.create({ externalId: how, username: how });
      for (const { users } of views) {
        expect([(await users.get(id)).id, (await users.getByExternalId(how)).id]).toEqual([id, id]);
      }
      await world.writer.tenant(slug).transaction(async ({ em, users }) => {
        if (how === 'statement') await users.nativeDelete({ id });
        else em.remove(await users.get(id));
      });
      for (const { users } of views) {
        await rejectionOf(users.get(id), NotFoundError);
        await rejectionOf(users.getByExternalId(how), NotFoundError);
      }
    }
  });

  it.each(['insert', 'upsert'] as const)('is found after an %s where there was nothing', async (how) => {
    const { slug, views } = await cachedTenant();
    const id = world.writer.sources.ids.next();
    for (const { users } of views) await rejectionOf(users.get(id), NotFoundError);
    const row = { ...upserted(world), id, externalId: how };
    await world.writer
      .tenant(slug)
      .transaction(({ em }) => (how === 'insert' ? em.insert(User, row) : em.upsert(User, row)) as Promise<unknown>);
    for (const { users } of views) {
      expect((await users.get(id)).externalId).toBe(how);
      expect((await users.getByExternalId(how)).id).toBe(id);
    }
  });

  it('stays as it is when a transaction is rolled back', async () => {
    const { ids, slug, read } = await cachedTenant();
    const before = await expectTruth(read);
    const failing = world.writer.tenant(slug).transaction(async ({ em, users }) => {
      await users.nativeUpdate({ id: ids.userId }, AGAIN);
      await em.nativeUpdate(Conversation, {}, { title: 'again' });
      throw new Error('not this time');
    });
    await expect(failing).rejects.toThrow('not this time');
    expect(await expectTruth(read)).toEqual(before);
  });

  it('is not what a unit of work sees, which sees what it has written; others see it when it is committed', async () => {
    const { ids, slug, views } = await cachedTenant();
    const [written, committed] = [createGate(), createGate()];
    const tenant = world.writer.tenant(slug);
    const nicknames = (contexts: readonly TenantContext[]) =>
      Promise.all(contexts.map(async ({ users }) => (await users.get(ids.userId)).nickname));
    const transaction = tenant.transaction(async ({ em }) => {
      await tenant.users.update(ids.userId, AGAIN);
      await em.flush();
      expect(await nicknames([tenant])).toEqual(['again']);
      expect((await tenant.users.getByExternalId(`${slug}-user`)).nickname).toBe('again');
      await tenant.read(async ({ users }) => expect((await users.get(ids.userId)).nickname).toBe('again'));
      written.open();
      await committed.opened;
      expect(await nicknames([tenant])).toEqual(['again']);
    });
    await Promise.race([written.opened, transaction]);
    // What another loads now is what was before, and is not kept beyond the commit.
    await world.reader.cache.clear();
    const others = views.filter((view) => view.slug === slug).slice(1);
    expect(await nicknames(others)).toEqual([null, null]);
    committed.open();
    await transaction;
    expect(await nicknames(views)).toEqual(['again', 'again', 'again']);
  });

  it('is what the database has after an import, also of rows that nobody had found before', async () => {
    const { slug, views } = await cachedTenant();
    const tenant = world.writer.tenant(slug);
    for (const view of views) await rejectionOf(findTalk(view), NotFoundError);
    await importArchives(tenant, [archiveFile(jsonLines(talk('talk')))]);
    const [first, ...others] = await Promise.all(views.map(findTalk));
    expect(others).toEqual([first, first]);
    const histories = () => Promise.all(views.map(({ messages }) => messages.history(first?.id ?? '')));
    for (const messages of await histories()) expect(messages).toHaveLength(2);
    await importArchives(tenant, [archiveFile(jsonLines(talk('talk', { messages: turns(2, 'talk'), title: 'new' })))]);
    const [a, b, truth] = await Promise.all(views.map(findTalk));
    expect([a, b]).toEqual([truth, truth]);
  });

  it('is what was copied, where it was known not to be there', async () => {
    const source = await PersistenceManager.open({ databaseUrl: await freshUrl(), cache: false });
    try {
      const slug = `tenant-${String((tenants += 1))}`;
      const ids = await furnish(source, slug);
      await world.writer.tenants.ensure({ slug: 'beta', name: 'Beta' });
      for (const { users } of [world.writer.tenant('beta'), world.reader.tenant('beta')]) {
        await rejectionOf(users.get(ids.userId), NotFoundError);
      }
      await source.copyTo(world.writer);
      const expected = await rowsOf(source.tenant(slug), ids);
      expect(expected.filter((each) => typeof each === 'string')).toEqual([]);
      for (const manager of managersOf(world)) {
        expect(await rowsOf(manager.tenant(slug), ids)).toEqual(expected);
      }
    } finally {
      await source.close();
    }
  });

  it("is nobody else's, whatever id or key another tenant asks for", async () => {
    const { ids, slug } = await cachedTenant();
    for (const manager of managersOf(world)) {
      const { userId, conversationId, messageId, documentId, voiceSessionId, taskId } = ids;
      const other = manager.tenant('beta');
      const calls: (() => Promise<unknown>)[] = [
        ...[userId, `${ids.tenantId}}:users:id:${userId}`, `../${userId}`].map((id) => () => other.users.get(id)),
        () => other.conversations.get(conversationId),
        () => other.messages.get(messageId),
        () => other.messages.history(conversationId),
        () => other.documents.get(documentId),
        () => other.voiceSessions.get(voiceSessionId),
        () => other.tasks.get(taskId),
        () => other.users.getByExternalId(`${slug}-user`),
        () => other.conversations.getByExternalId(`${slug}-chat`),
        () => other.documents.getByExternalId(`${slug}-document`),
        () => other.voiceSessions.getByExternalId(`${slug}-call`),
        () => other.tasks.getByWorkflowId(`${slug}-workflow`),
      ];
      for (const call of [...calls, ...calls]) await rejectionOf(call(), NotFoundError);
    }
  });

  it("is the caller's own: what he does to it changes nothing for others", async () => {
    const { ids, slug, views } = await cachedTenant();
    const { users, messages } = world.writer.tenant(slug);
    const before = await users.get(ids.userId);
    (await users.get(ids.userId)).metadata['mine'] = true;
    Object.assign(await users.get(ids.userId), { nickname: 'mine' });
    (await messages.history(ids.conversationId)).length = 0;
    for (const view of views) expect(await view.users.get(ids.userId)).toEqual(before);
    expect(await messages.history(ids.conversationId)).toHaveLength(1);
  });

  it('is forgotten of one tenant, or of all', async () => {
    const { ids, slug } = await cachedTenant();
    // Beside the services: nobody is told.
    await world.plain.tenant(slug).users.update(ids.userId, AGAIN);
    await world.writer.cache.clear({ tenant: slug });
    for (const manager of managersOf(world)) {
      expect((await manager.tenant(slug).users.get(ids.userId)).nickname).toBe('again');
    }
    await rejectionOf(world.writer.cache.clear({ tenant: 'nobody' }), NotFoundError);
  });
});
