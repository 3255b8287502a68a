import { describe, expect, it } from 'vitest';
import { IdempotencyConflictError, ValidationError } from '../../src/errors.js';
import type { MessageInput } from '../../src/repositories/message.repository.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openAcme, openManager, populate } from '../support/open-manager.js';
import { rejectionOf } from '../support/rejection.js';

const KEY = { idempotencyKey: 'req-1' };
const MESSAGE: MessageInput = {
  role: 'user',
  content: 'A table for two, please',
  tokenCount: 6,
  parts: [{ type: 'text', n: 1 }],
  metadata: { b: 2, a: [1, null], dropped: undefined },
};

describe('the same idempotency key', () => {
  it('given 32 times at once makes one message, which all of them get', async () => {
    const { tenant, conversationId } = await openAcme({ url: await freshUrl() });
    const results = await Promise.all(
      Array.from({ length: 32 }, () => tenant.messages.append(conversationId, MESSAGE, KEY)),
    );
    expect(new Set(results.map(({ id }) => id)).size).toBe(1);
    expect(await tenant.messages.history(conversationId)).toHaveLength(1);
    expect(await tenant.conversations.get(conversationId)).toMatchObject({ messageCount: 1, tokenCount: 6 });
  });

  it('gives the first result after the database was closed and opened again, and writes nothing', async () => {
    const url = await freshUrl();
    const { persistence, tenant, conversationId } = await openAcme({ url });
    const first = await tenant.messages.append(conversationId, MESSAGE, KEY);
    await tenant.messages.append(conversationId, { role: 'assistant', content: 'For when?' });
    await persistence.close();
    const { persistence: again, clock } = await openManager({ url, seed: 2 });
    clock.advance(86_400_000);
    const acme = again.tenant('acme');
    const before = await acme.conversations.get(conversationId);
    const second = await acme.messages.append(conversationId, MESSAGE, KEY);
    expect(second).toEqual({ ...first, metadata: { b: 2, a: [1, null] } });
    expect(await acme.conversations.get(conversationId)).toEqual(before);
  });

  it('gives the first result also when the conversation was archived meanwhile', async () => {
    const { tenant, conversationId } = await openAcme();
    const first = await tenant.messages.append(conversationId, MESSAGE, KEY);
    await tenant.conversations.archive(conversationId);
    expect((await tenant.messages.append(conversationId, MESSAGE, KEY)).id).toBe(first.id);
  });

  const CHANGES: readonly (readonly [string, MessageInput])[] = [
    ['content', { ...MESSAGE, content: 'A table for three' }],
    ['role', { ...MESSAGE, role: 'assistant' }],
    ['modality', { ...MESSAGE, modality: 'voice' }],
    ['tokenCount', { ...MESSAGE, tokenCount: 7 }],
    ['parts', { ...MESSAGE, parts: [{ type: 'text', n: 2 }] }],
    ['references', { ...MESSAGE, references: [] }],
    ['metadata', { ...MESSAGE, metadata: {} }],
  ];

  it.each(CHANGES)('with another %s is refused, and says so', async (difference, changed) => {
    const { tenant, conversationId } = await openAcme();
    await tenant.messages.append(conversationId, MESSAGE, KEY);
    const error = await rejectionOf(tenant.messages.append(conversationId, changed, KEY), IdempotencyConflictError);
    expect(error).toMatchObject({ idempotencyKey: 'req-1', difference });
    expect(await tenant.messages.history(conversationId)).toHaveLength(1);
  });

  it('for another conversation is refused', async () => {
    const { tenant, conversationId, userId } = await openAcme();
    await tenant.messages.append(conversationId, MESSAGE, KEY);
    const other = await tenant.conversations.start({ userId });
    const error = await rejectionOf(tenant.messages.append(other.id, MESSAGE, KEY), IdempotencyConflictError);
    expect(error.difference).toBe('conversationId');
    expect(await tenant.messages.history(other.id)).toEqual([]);
  });

  it('in another tenant is another key', async () => {
    const { persistence, tenant, conversationId } = await openAcme();
    const beta = await populate(persistence, 'beta');
    const first = await tenant.messages.append(conversationId, MESSAGE, KEY);
    const second = await beta.tenant.messages.append(beta.conversationId, { ...MESSAGE, content: 'other' }, KEY);
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ seq: 1, content: 'other' });
  });

  it('is free again when its unit of work was rolled back', async () => {
    const { tenant, conversationId } = await openAcme();
    const undone = tenant.transaction(async (unit) => {
      await unit.messages.append(conversationId, { role: 'user', content: 'never mind' }, KEY);
      throw new Error('rolled back');
    });
    await expect(undone).rejects.toThrow('rolled back');
    expect(await tenant.messages.append(conversationId, MESSAGE, KEY)).toMatchObject({ seq: 1 });
  });

  it('within one unit of work gives the first result too', async () => {
    const { tenant, conversationId } = await openAcme();
    await tenant.transaction(async (unit) => {
      const first = await unit.messages.append(conversationId, MESSAGE, KEY);
      const second = await tenant.messages.append(conversationId, MESSAGE, KEY);
      expect(second.id).toBe(first.id);
    });
    expect(await tenant.messages.history(conversationId)).toHaveLength(1);
  });

  it('of a message that was not valid is not used up', async () => {
    const { tenant, conversationId } = await openAcme();
    await rejectionOf(tenant.messages.append(conversationId, { ...MESSAGE, content: '\0' }, KEY), ValidationError);
    expect(await tenant.messages.append(conversationId, MESSAGE, KEY)).toMatchObject({ seq: 1 });
  });

  it('is compared exactly: another case or a longer key is another key', async () => {
    const { tenant, conversationId } = await openAcme();
    for (const idempotencyKey of ['req', 'REQ', 'req-', 'req%', 'réq']) {
      await tenant.messages.append(conversationId, MESSAGE, { idempotencyKey });
    }
    expect(await tenant.messages.history(conversationId)).toHaveLength(5);
  });

  it('must be a key, and is judged with the message', async () => {
    const { tenant, conversationId } = await openAcme();
    const call = tenant.messages.append(conversationId, { role: 'user', content: '' }, { idempotencyKey: ' x' });
    const error = await rejectionOf(call, ValidationError);
    expect(error.issues.map(({ path }) => path).toSorted()).toEqual(['content', 'idempotencyKey']);
  });
});

it('without a key the same message is accepted as often as it is given', async () => {
  const { tenant, conversationId } = await openAcme();
  for (let index = 0; index < 3; index++) await tenant.messages.append(conversationId, MESSAGE);
  expect(await tenant.messages.history(conversationId)).toHaveLength(3);
});
