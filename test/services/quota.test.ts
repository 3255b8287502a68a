import { describe, expect, it } from 'vitest';
import { User } from '../../src/entities/user.js';
import { QuotaExceededError } from '../../src/errors.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openAcme, openManager } from '../support/open-manager.js';
import { rejectionOf } from '../support/rejection.js';

const WRITERS = 32;

type Write = (tenant: TenantContext, chatId: string, userId: string, name: string) => Promise<unknown>;

const QUOTAS: readonly (readonly [quota: string, limit: number, of: number, write: Write])[] = [
  // The one who is there already counts.
  ['users', 50, 1, ({ users }, _chat, _user, name) => users.create({ externalId: name, username: name })],
  ['conversations', 50, 1, ({ conversations }, _chat, userId) => conversations.start({ userId })],
  [
    'messagesPerMonth',
    50,
    0,
    ({ messages }, chat, _user, name) => messages.append(chat, { role: 'user', content: name }),
  ],
  [
    'tokensPerMonth',
    150,
    0,
    ({ messages }, chat, _user, name) => messages.append(chat, { role: 'user', content: name, tokenCount: 3 }),
  ],
  [
    'storageBytes',
    200,
    0,
    // Two characters, four bytes.
    ({ documents }, _chat, _user, name) => documents.create({ externalId: name, title: name, content: 'éé' }),
  ],
];

describe('a quota', () => {
  it.each(QUOTAS)(
    'of %s is used up by concurrent writers to the last one, and no further',
    { timeout: 120_000 },
    async (quota, limit, taken, write) => {
      const url = await freshUrl();
      const { persistence, tenant, userId, conversationId } = await openAcme({ url });
      const { persistence: second } = await openManager({ url, seed: 2 });
      await persistence.tenants.update('acme', { quota: { [quota]: limit } });
      const fitting = limit === 50 ? limit - taken : 50;
      const attempts = await Promise.allSettled(
        Array.from({ length: WRITERS * 2 }, (_unused, index) =>
          write(index % 2 === 0 ? tenant : second.tenant('acme'), conversationId, userId, `w-${String(index)}`),
        ),
      );
      const failures = attempts.flatMap((attempt) =>
        attempt.status === 'rejected' ? [attempt.reason as unknown] : [],
      );
      for (const failure of failures) expect(failure).toBeInstanceOf(QuotaExceededError);
      expect(attempts.length - failures.length).toBe(fitting);
    },
  );

  it('tells which, how much it is and how much it would have been, and nothing is written', async () => {
    const { persistence, tenant, conversationId } = await openAcme();
    await persistence.tenants.update('acme', { quota: { messagesPerMonth: 2, tokensPerMonth: 10 } });
    const message = { role: 'user', content: 'x', tokenCount: 4 } as const;
    const three = tenant.transaction(async ({ messages }) => {
      for (let index = 0; index < 3; index++) await messages.append(conversationId, message);
    });
    const error = await rejectionOf(three, QuotaExceededError);
    expect(error.toJSON()).toMatchObject({
      status: 429,
      quota: 'messagesPerMonth',
      limit: 2,
      needed: 3,
      tenant: 'acme',
    });
    expect(error.message).toContain('Nothing was written');
    expect(await tenant.messages.history(conversationId)).toEqual([]);
    await tenant.messages.append(conversationId, message);
    const tokens = await rejectionOf(
      tenant.messages.append(conversationId, { ...message, tokenCount: 7 }),
      QuotaExceededError,
    );
    expect(tokens).toMatchObject({ quota: 'tokensPerMonth', limit: 10, needed: 11 });
  });

  it('of a month begins again with the next, and counts what was there before it was set', async () => {
    const { persistence, tenant, conversationId, clock } = await openAcme();
    const append = () => tenant.messages.append(conversationId, { role: 'user', content: 'x' });
    await append();
    await append();
    await persistence.tenants.update('acme', { quota: { messagesPerMonth: 3 } });
    await append();
    await rejectionOf(append(), QuotaExceededError);
    // What is written while there is no quota counts when there is one again.
    await persistence.tenants.update('acme', { quota: {} });
    await append();
    await persistence.tenants.update('acme', { quota: { messagesPerMonth: 5 } });
    await append();
    expect(await rejectionOf(append(), QuotaExceededError)).toMatchObject({ needed: 6 });
    clock.advance(31 * 86_400_000);
    await append();
    expect(await tenant.messages.history(conversationId)).toHaveLength(6);
  });

  it('counts what a caught failure has taken back as nothing', async () => {
    const { persistence, tenant, conversationId } = await openAcme();
    await persistence.tenants.update('acme', { quota: { messagesPerMonth: 2 } });
    const message = { role: 'user', content: 'x' } as const;
    await tenant.transaction(async ({ em, messages }) => {
      const nested = em.transactional(async () => {
        await messages.append(conversationId, message);
        throw new TypeError('taken back');
      });
      await nested.catch(() => undefined);
      await messages.append(conversationId, message);
    });
    await tenant.messages.append(conversationId, message);
    await rejectionOf(tenant.messages.append(conversationId, message), QuotaExceededError);
  });

  it('frees what is removed, holds for statements beside the unit of work, and for documents that grow', async () => {
    const { persistence, tenant, userId } = await openAcme();
    await persistence.tenants.update('acme', { quota: { users: 2, storageBytes: 10 } });
    const ada = await tenant.users.create({ externalId: 'a', username: 'ada' });
    const eve = { externalId: 'e', username: 'eve' };
    await rejectionOf(tenant.users.create(eve), QuotaExceededError);
    const stamps = { id: persistence.sources.ids.next(), createdAt: new Date(), updatedAt: new Date(), metadata: {} };
    await rejectionOf(
      tenant.transaction(({ em }) => em.insert(User, { ...stamps, ...eve })),
      QuotaExceededError,
    );
    await tenant.transaction(({ users }) => users.nativeDelete({ id: ada.id }));
    await tenant.users.create(eve);
    const document = await tenant.documents.create({ externalId: 'd', title: 'd', content: '0123456789' });
    await rejectionOf(tenant.documents.update(document.id, { content: '0123456789a' }), QuotaExceededError);
    await tenant.documents.update(document.id, { title: 'e' });
    expect((await tenant.users.get(userId)).id).toBe(userId);
  });

  it('counts what a unit of work has written last, when it ends', async () => {
    const { persistence, tenant } = await openAcme();
    await persistence.tenants.update('acme', { quota: { users: 1 } });
    const made = tenant.transaction(async ({ users }) => void users.create({ externalId: 'a', username: 'ada' }));
    await rejectionOf(made, QuotaExceededError);
    expect((await tenant.users.list()).items).toHaveLength(1);
  });

  it('lower than what there is takes nothing away and refuses what comes on top', async () => {
    const { persistence, tenant, userId } = await openAcme();
    await persistence.tenants.update('acme', { quota: { users: 0, conversations: 0 } });
    await rejectionOf(tenant.conversations.start({ userId }), QuotaExceededError);
    expect((await tenant.users.list()).items).toHaveLength(1);
    await tenant.users.update(userId, { nickname: 'still' });
  });
});
