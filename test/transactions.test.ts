import { Conversation } from '../src/entities/conversation.js';
import { describe, expect, it } from 'vitest';
import {
  AlreadyExistsError,
  ColloquyError,
  NotFoundError,
  PersistenceClosedError,
  ReferenceNotFoundError,
  VersionConflictError,
} from '../src/errors.js';
import { PersistenceManager } from '../src/services/persistence-manager.js';
import type { TenantContext } from '../src/services/tenant-context.js';
import { freshUrl } from './support/engine-under-test.js';
import { createGate } from './support/gate.js';
import { openAcme, openManager, populate } from './support/open-manager.js';
import { rejectionOf } from './support/rejection.js';
import { dumpTables } from './support/table-dump.js';

class Change extends Error {}

const userNamed = (externalId: string) => ({ externalId, username: `user ${externalId}` });

async function keysOf(tenant: TenantContext): Promise<string[]> {
  return (await tenant.users.list()).items.map(({ externalId }) => externalId);
}

describe('a unit of work', () => {
  it('writes everything when it resolves', async () => {
    const { tenant, conversationId } = await openAcme();
    const result = await tenant.transaction(async (unit) => {
      unit.users.create(userNamed('u-1'));
      (await unit.conversations.get(conversationId)).title = 'Moved to Friday';
      await unit.messages.append(conversationId, { role: 'user', content: 'Friday, then' });
      return 'done';
    });
    expect(result).toBe('done');
    expect(await keysOf(tenant)).toEqual(['acme-user', 'u-1']);
    expect(await tenant.conversations.get(conversationId)).toMatchObject({ title: 'Moved to Friday', messageCount: 1 });
  });

  it('writes nothing when it throws, whichever way the rows were to be written', async () => {
    const { tenant, conversationId } = await openAcme();
    const before = await tenant.stats();
    const work = tenant.transaction(async (unit) => {
      unit.users.create(userNamed('u-1'));
      await unit.flush();
      (await unit.conversations.get(conversationId)).title = 'never';
      await unit.messages.append(conversationId, { role: 'user', content: 'never' });
      await tenant.documents.create({ externalId: 'd', title: 'never', content: 'never' });
      throw new Change('changed my mind');
    });
    await expect(work).rejects.toThrow(Change);
    expect((await tenant.stats()).rows).toEqual(before.rows);
    expect(await tenant.conversations.get(conversationId)).toMatchObject({ title: 'chat of acme', messageCount: 0 });
  });

  it('writes nothing when its commit is refused', async () => {
    const { tenant } = await openAcme();
    const work = tenant.transaction(async (unit) => {
      unit.users.create(userNamed('u-1'));
      unit.users.create(userNamed('acme-user'));
    });
    await rejectionOf(work, AlreadyExistsError);
    expect(await keysOf(tenant)).toEqual(['acme-user']);
  });

  it('is refused when somebody else has changed the row since it was read; a new message is no such change', async () => {
    const { persistence, tenant, tenantId, conversationId } = await openAcme();
    const editing = (meanwhile: () => Promise<unknown>, title: string) =>
      persistence.withEntityManager(async (em) => {
        em.setFilterParams('tenant', { tenantId });
        const conversation = await em.findOneOrFail(Conversation, { id: conversationId });
        await meanwhile();
        conversation.title = title;
        await em.flush();
      });
    await editing(() => tenant.messages.append(conversationId, { role: 'user', content: 'hello' }), 'first');
    const late = editing(() => tenant.conversations.update(conversationId, { title: 'second' }), 'third');
    await rejectionOf(late, VersionConflictError);
    expect(await tenant.conversations.get(conversationId)).toMatchObject({ title: 'second', messageCount: 1 });
  });
});

it('a row that a unit of work has only read is not written', async () => {
  const url = await freshUrl();
  const { tenant, userId, conversationId, clock } = await openAcme({ url });
  await tenant.messages.append(conversationId, { role: 'user', content: 'x' });
  await tenant.usage.add({ provider: 'p', model: 'm' });
  clock.advance(1000);
  const before = await dumpTables(url);
  await tenant.transaction(async (unit) => {
    await unit.users.get(userId);
    await unit.conversations.get(conversationId);
    await unit.messages.find({});
    await unit.usage.find({});
  });
  // An update would raise a version or set updated_at.
  expect(await dumpTables(url)).toEqual(before);
});

describe('inside a unit of work', () => {
  it('calls of services join it, and see and are seen by what it has not committed', async () => {
    const { tenant } = await openAcme();
    const work = tenant.transaction(async (unit) => {
      const user = unit.users.create(userNamed('u-1'));
      expect((await tenant.users.getByExternalId('u-1')).id).toBe(user.id);
      const chat = await tenant.conversations.start({ userId: user.id });
      const { seq } = await tenant.messages.append(chat.id, { role: 'user', content: 'inside' });
      expect((await unit.conversations.get(chat.id)).messageCount).toBe(seq);
      throw new Change();
    });
    await expect(work).rejects.toThrow(Change);
    expect(await keysOf(tenant)).toEqual(['acme-user']);
  });

  it('another one joins it: one commit, one rollback', async () => {
    const { tenant } = await openAcme();
    const work = tenant.transaction(async () => {
      await tenant.transaction(async (inner) => void inner.users.create(userNamed('inner')));
      await tenant.transaction(() =>
        tenant.transaction(async (unit) => void unit.users.create(userNamed('innermost'))),
      );
      expect(await keysOf(tenant)).toEqual(['acme-user', 'inner', 'innermost']);
      throw new Change();
    });
    await expect(work).rejects.toThrow(Change);
    expect(await keysOf(tenant)).toEqual(['acme-user']);
  });

  it("another tenant's calls join it, and stay that tenant's", async () => {
    const { persistence, tenant: acme, userId } = await openAcme();
    const beta = await populate(persistence, 'beta');
    const both = async (): Promise<void> => {
      await acme.users.create(userNamed('shared'));
      await beta.tenant.users.create(userNamed('shared'));
      await rejectionOf(beta.tenant.users.get(userId), NotFoundError);
    };
    const undone = acme.transaction(async () => {
      await both();
      throw new Change();
    });
    await expect(undone).rejects.toThrow(Change);
    expect([await keysOf(acme), await keysOf(beta.tenant)]).toEqual([['acme-user'], ['beta-user']]);
    await acme.transaction(both);
    expect([await keysOf(acme), await keysOf(beta.tenant)]).toEqual([
      ['acme-user', 'shared'],
      ['beta-user', 'shared'],
    ]);
  });

  it('calls at the same time neither wait for each other for ever nor lose anything', async () => {
    const { persistence, tenant, conversationId } = await openAcme();
    const beta = await populate(persistence, 'beta');
    await tenant.transaction(async () => {
      const appends = Array.from({ length: 10 }, (_, index) =>
        tenant.messages.append(conversationId, { role: 'user', content: `message ${String(index)}` }),
      );
      const users = [tenant.users.create(userNamed('a')), beta.tenant.users.create(userNamed('b'))];
      await Promise.all([...appends, ...users]);
    });
    const seqs = (await tenant.messages.history(conversationId)).map(({ seq }) => seq);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect([await keysOf(tenant), await keysOf(beta.tenant)]).toEqual([
      ['acme-user', 'a'],
      ['beta-user', 'b'],
    ]);
  });

  it("a loaded conversation's counters follow what is appended, and its own changes stay", async () => {
    const { tenant, conversationId, clock } = await openAcme();
    await tenant.transaction(async (unit) => {
      const conversation = await unit.conversations.get(conversationId);
      conversation.title = 'new title';
      clock.advance(1000);
      const message = await tenant.messages.append(conversationId, { role: 'user', content: 'a', tokenCount: 3 });
      await unit.messages.append(conversationId, { role: 'assistant', content: 'b', tokenCount: 4 });
      conversation.summary = 'two messages';
      expect(conversation).toMatchObject({ messageCount: 2, tokenCount: 7, lastMessageAt: message.createdAt });
    });
    const stored = await tenant.conversations.get(conversationId);
    expect(stored).toMatchObject({ title: 'new title', summary: 'two messages', messageCount: 2, tokenCount: 7 });
  });

  it('a call of a service that failed leaves nothing of what it wrote before', async () => {
    const { tenant, userId } = await openAcme();
    await tenant.transaction(async () => {
      const half = tenant.transaction(async (unit) => {
        unit.users.create(userNamed('half'));
        await unit.flush();
        await tenant.users.create(userNamed('acme-user'));
      });
      const others = [tenant.users.create(userNamed('a')), half, tenant.users.update(userId, { nickname: 'b' })];
      const outcomes = await Promise.allSettled(others);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    });
    expect(await keysOf(tenant)).toEqual(['acme-user', 'a']);
    expect(await tenant.users.get(userId)).toMatchObject({ nickname: 'b' });
  });

  it('a call of a service that failed can be caught without losing the rest', async () => {
    const { tenant } = await openAcme();
    await tenant.transaction(async () => {
      await rejectionOf(tenant.users.create(userNamed('acme-user')), AlreadyExistsError);
      await rejectionOf(tenant.conversations.start({ userId: 'nobody' }), ReferenceNotFoundError);
      await tenant.users.create(userNamed('u-1'));
    });
    expect(await keysOf(tenant)).toEqual(['acme-user', 'u-1']);
  });
});

describe('work that nobody awaits', () => {
  it('and that begins after its transaction has ended gets one of its own', async () => {
    const { tenant } = await openAcme();
    const gate = createGate();
    let late: Promise<unknown> = Promise.resolve();
    await tenant.transaction(async () => {
      late = gate.opened.then(() => tenant.users.create(userNamed('late')));
    });
    gate.open();
    await late;
    expect(await keysOf(tenant)).toEqual(['acme-user', 'late']);
  });

  it("and that begins after another tenant's transaction has ended inside gets one of its own", async () => {
    const { persistence, tenant: acme } = await openAcme();
    const beta = await populate(persistence, 'beta');
    const gate = createGate();
    let late: Promise<unknown> = Promise.resolve();
    await acme.transaction(async () => {
      await beta.tenant.transaction(async () => {
        late = gate.opened.then(() => beta.tenant.users.create(userNamed('late')));
      });
    });
    gate.open();
    await late;
    expect(await keysOf(beta.tenant)).toEqual(['beta-user', 'late']);
  });

  it('and that is under way when its transaction ends is done or fails with a stated error', async () => {
    const { tenant } = await openAcme();
    let late: Promise<unknown> = Promise.resolve();
    await tenant.transaction(async () => {
      late = tenant.users.create(userNamed('late')).catch((reason: unknown) => reason);
    });
    const outcome = await late;
    if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ColloquyError);
    else expect(await keysOf(tenant)).toEqual(['acme-user', 'late']);
  });
});

describe('close', () => {
  it('makes every later call fail with the stated error, and may be called twice', async () => {
    const { persistence, tenant, userId } = await openAcme();
    await Promise.all([persistence.close(), persistence.close()]);
    await persistence.close();
    const calls = [
      () => tenant.users.get(userId),
      () => tenant.users.create(userNamed('late')),
      () => tenant.transaction(async () => undefined),
      () => tenant.read(async () => undefined),
      () => tenant.stats(),
      () => persistence.stats(),
      () => persistence.tenants.get('acme'),
      () => persistence.tenant('unknown').users.list(),
    ];
    for (const call of calls) await rejectionOf(call(), PersistenceClosedError);
  });

  it('is what `await using` does at the end of its block', async () => {
    let kept: PersistenceManager;
    {
      await using persistence = await PersistenceManager.open({ databaseUrl: await freshUrl() });
      await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
      kept = persistence;
    }
    await rejectionOf(kept.tenants.get('acme'), PersistenceClosedError);
  });

  // The turns of the queue of promises after which it is called: so far have the calls come by then.
  it.each([0, 1, 10])(
    'under way calls end, %i turns on: done or failed with a stated error',
    { timeout: 5_000 },
    async (turns) => {
      const url = await freshUrl();
      const { persistence, tenant, conversationId } = await openAcme({ url });
      const calls = Array.from({ length: 20 }, (_, index) =>
        tenant.messages.append(conversationId, { role: 'user', content: `message ${String(index)}` }),
      );
      const reads = Array.from({ length: 5 }, () => tenant.messages.history(conversationId));
      // Watched before the manager closes: a call may be refused while it does.
      const settled = Promise.allSettled([...calls, ...reads]);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await persistence.close();
      const outcomes = await settled;
      const failures = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
      );
      for (const failure of failures) expect(failure).toBeInstanceOf(ColloquyError);
      const done = outcomes.slice(0, calls.length).filter(({ status }) => status === 'fulfilled');
      const { persistence: again } = await openManager({ url, seed: 2 });
      const stored = await again.tenant('acme').conversations.get(conversationId);
      expect(stored.messageCount).toBe(done.length);
    },
  );
});
