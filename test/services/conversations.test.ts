import { describe, expect, it } from 'vitest';
import { AlreadyExistsError, NotFoundError, ReferenceNotFoundError } from '../../src/errors.js';
import { openAcme } from '../support/open-manager.js';
import { rejectionOf } from '../support/rejection.js';

const NOTHING = '019b796d-d600-7a00-821f-000000000000';

describe('start', () => {
  it('gives an empty, active conversation of the user', async () => {
    const { tenant, tenantId, userId, clock } = await openAcme();
    const chat = await tenant.conversations.start({ userId });
    expect(chat).toEqual({
      tenantId,
      id: expect.any(String),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      userId,
      externalId: null,
      title: null,
      summary: null,
      metadata: {},
      messageCount: 0,
      tokenCount: 0,
      lastMessageAt: null,
      status: 'active',
      version: 1,
    });
    expect(await tenant.conversations.get(chat.id)).toEqual(chat);
  });

  it('refuses a user that is not there', async () => {
    const { tenant } = await openAcme();
    await rejectionOf(tenant.conversations.start({ userId: NOTHING }), ReferenceNotFoundError);
  });

  it('takes an external id once, and none as often as wanted', async () => {
    const { tenant, userId } = await openAcme();
    const chat = await tenant.conversations.start({ userId, externalId: 'c-1' });
    const error = await rejectionOf(tenant.conversations.start({ userId, externalId: 'c-1' }), AlreadyExistsError);
    expect(error.constraint).toBe('conversations.external_id');
    expect(await tenant.conversations.getByExternalId('c-1')).toEqual(chat);
    await tenant.conversations.start({ userId, externalId: null });
    await tenant.conversations.start({ userId });
  });
});

it('update changes title, summary and metadata, and nothing else', async () => {
  const { tenant, conversationId, clock } = await openAcme();
  const before = await tenant.conversations.get(conversationId);
  clock.advance(1000);
  const changes = { title: null, summary: 'short', metadata: { pinned: true } };
  const updated = await tenant.conversations.update(conversationId, changes);
  expect(updated).toEqual({ ...before, ...changes, version: 2, updatedAt: clock.now() });
});

it('archive and reopen turn the state, and twice is the same as once', async () => {
  const { tenant, conversationId } = await openAcme();
  const archived = await tenant.conversations.archive(conversationId);
  expect(archived.status).toBe('archived');
  expect(await tenant.conversations.archive(conversationId)).toEqual(archived);
  const reopened = await tenant.conversations.reopen(conversationId);
  expect(reopened.status).toBe('active');
  expect(await tenant.conversations.reopen(conversationId)).toEqual(reopened);
  await tenant.messages.append(conversationId, { role: 'user', content: 'again' });
});

it('what is not there is said to be missing, by entity and key', async () => {
  const { tenant } = await openAcme();
  const calls = [
    () => tenant.conversations.get(NOTHING),
    () => tenant.conversations.update(NOTHING, { title: 'x' }),
    () => tenant.conversations.archive(NOTHING),
    () => tenant.conversations.reopen(NOTHING),
  ];
  for (const call of calls) {
    expect(await rejectionOf(call(), NotFoundError)).toMatchObject({ entity: 'conversation', key: NOTHING });
  }
  const byKey = await rejectionOf(tenant.conversations.getByExternalId('c'), NotFoundError);
  expect(byKey).toMatchObject({ entity: 'conversation', key: 'c' });
});

describe('list', () => {
  it("gives a user's conversations, the newest first; new ones do not shift later pages", async () => {
    const { tenant, userId, conversationId } = await openAcme();
    const other = await tenant.users.create({ externalId: 'other', username: 'other' });
    const made = [conversationId];
    for (let index = 0; index < 4; index++) {
      made.unshift((await tenant.conversations.start({ userId })).id);
      await tenant.conversations.start({ userId: other.id });
    }
    const first = await tenant.conversations.list({ userId, limit: 2 });
    await tenant.conversations.start({ userId });
    await tenant.messages.append(conversationId, { role: 'user', content: 'moves nothing' });
    const second = await tenant.conversations.list({ userId, limit: 2, after: first.next ?? '' });
    const third = await tenant.conversations.list({ userId, limit: 2, after: second.next ?? '' });
    const ids = [first, second, third].flatMap(({ items }) => items.map(({ id }) => id));
    expect(ids).toEqual(made);
    expect(third.next).toBeNull();
  });

  it('of a user that is not there is empty', async () => {
    const { tenant } = await openAcme();
    expect(await tenant.conversations.list({ userId: NOTHING })).toEqual({ items: [], next: null });
  });
});
