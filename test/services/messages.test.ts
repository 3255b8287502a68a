import { describe, expect, it } from 'vitest';
import { MESSAGE_CONTENT_MAX } from '../../src/entities/rules.js';
import { InvalidStateError, NotFoundError, ValidationError } from '../../src/errors.js';
import { openAcme } from '../support/open-manager.js';
import { rejectionOf } from '../support/rejection.js';

const NOTHING = '019b796d-d600-7a00-821f-000000000000';

describe('append', () => {
  it('gives the message with its place, and raises the counters of the conversation', async () => {
    const { tenant, tenantId, conversationId, clock } = await openAcme();
    await tenant.messages.append(conversationId, { role: 'system', content: 'Be brief.', tokenCount: 3 });
    clock.advance(1000);
    const message = await tenant.messages.append(conversationId, { role: 'user', content: 'A table for two, please' });
    expect(message).toEqual({
      tenantId,
      id: expect.any(String),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      conversationId,
      seq: 2,
      role: 'user',
      content: 'A table for two, please',
      parts: null,
      modality: 'text',
      tokenCount: 0,
      references: null,
      metadata: null,
      idempotencyKey: null,
    });
    expect(await tenant.messages.get(message.id)).toEqual(message);
    expect(await tenant.conversations.get(conversationId)).toMatchObject({
      messageCount: 2,
      tokenCount: 3,
      lastMessageAt: clock.now(),
      version: 1,
    });
  });

  it('takes content up to its limit and not a character more', async () => {
    const { tenant, conversationId } = await openAcme();
    const longest = 'x'.repeat(MESSAGE_CONTENT_MAX);
    expect((await tenant.messages.append(conversationId, { role: 'user', content: longest })).content).toBe(longest);
    const call = tenant.messages.append(conversationId, { role: 'user', content: `${longest}x` });
    const error = await rejectionOf(call, ValidationError);
    expect(error.issues).toMatchObject([{ path: 'content', rule: 'isText', kind: 'string of 1000001' }]);
    expect(error.message.length).toBeLessThan(300);
  });

  it('to an archived conversation is refused, and says why', async () => {
    const { tenant, conversationId } = await openAcme();
    await tenant.conversations.archive(conversationId);
    const call = tenant.messages.append(conversationId, { role: 'user', content: 'too late' });
    const error = await rejectionOf(call, InvalidStateError);
    expect(error).toMatchObject({ entity: 'conversation', key: conversationId, state: 'archived' });
    expect(await tenant.messages.history(conversationId)).toEqual([]);
  });
});

it('what is not there is said to be missing, by entity and key', async () => {
  const { tenant } = await openAcme();
  const missing = { entity: 'conversation', key: NOTHING };
  const append = tenant.messages.append(NOTHING, { role: 'user', content: 'x' });
  expect(await rejectionOf(append, NotFoundError)).toMatchObject(missing);
  expect(await rejectionOf(tenant.messages.history(NOTHING), NotFoundError)).toMatchObject(missing);
  const get = await rejectionOf(tenant.messages.get(NOTHING), NotFoundError);
  expect(get).toMatchObject({ entity: 'message', key: NOTHING });
});

describe('history', () => {
  it('gives the last 50 unless asked otherwise, and nothing of an empty conversation', async () => {
    const { tenant, conversationId } = await openAcme();
    expect(await tenant.messages.history(conversationId)).toEqual([]);
    await tenant.transaction(async ({ messages }) => {
      for (let index = 0; index < 60; index++) await messages.append(conversationId, { role: 'user', content: 'x' });
    });
    const seqs = async (request?: Parameters<typeof tenant.messages.history>[1]) =>
      (await tenant.messages.history(conversationId, request)).map(({ seq }) => seq);
    expect(await seqs()).toEqual(Array.from({ length: 50 }, (_, index) => index + 11));
    expect(await seqs({ after: 0 })).toHaveLength(50);
    expect((await seqs({ before: 61 })).at(-1)).toBe(60);
    expect(await seqs({ last: 10_000 })).toHaveLength(60);
  });

  it.each([
    ['last', { last: 0 }],
    ['last', { last: 10_001 }],
    ['last', { last: 2.5 }],
    ['limit', { after: 1, limit: 0 }],
    ['limit', { before: 1, limit: 10_001 }],
    ['after', { after: Number.NaN }],
    ['before', { before: '3' as never }],
  ])('refuses a wrong %s', async (path, request) => {
    const { tenant, conversationId } = await openAcme();
    const error = await rejectionOf(tenant.messages.history(conversationId, request), ValidationError);
    expect(error.issues.map((issue) => issue.path)).toEqual([path]);
  });
});
