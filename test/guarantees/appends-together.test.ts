import { describe, expect, it } from 'vitest';
import { IdempotencyConflictError, InvalidStateError, NotFoundError, ValidationError } from '../../src/errors.js';
import type { Row } from '../../src/repositories/compiled-table.js';
import type { Message } from '../../src/entities/message.js';
import { createGate } from '../support/gate.js';
import { openAcme } from '../support/open-manager.js';

const NOTHING = '01900000-0000-7000-8000-000000000000';

const messageOf = (content: string) => ({ role: 'user', content }) as const;

function range(count: number): number[] {
  return Array.from({ length: count }, (_unused, index) => index);
}

/** Those that were appended, by their numbers. */
function appendedOf(outcomes: readonly PromiseSettledResult<Row<Message>>[]): Row<Message>[] {
  return outcomes
    .flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    .toSorted((a, b) => a.seq - b.seq);
}

describe('appends that are made at once', () => {
  it('to one conversation are stored in the order in which they were made, each with its own result', async () => {
    const { tenant, conversationId } = await openAcme();
    const appended = await Promise.all(
      range(100).map((n) =>
        tenant.messages.append(
          conversationId,
          { ...messageOf(`message ${String(n)}`), tokenCount: n, metadata: { n }, parts: n % 2 === 0 ? [{ n }] : null },
          { idempotencyKey: `key ${String(n)}` },
        ),
      ),
    );
    expect(appended.map(({ seq }) => seq)).toEqual(range(100).map((n) => n + 1));
    expect(await tenant.messages.history(conversationId, { last: 100 })).toEqual(appended);
    const { messageCount, tokenCount } = await tenant.conversations.get(conversationId);
    expect({ messageCount, tokenCount }).toEqual({ messageCount: 100, tokenCount: 4_950 });
  });

  it('each have an outcome of their own, whoever fails beside them', async () => {
    const { tenant, userId, conversationId } = await openAcme();
    const { id: archived } = await tenant.conversations.start({ userId });
    await tenant.conversations.archive(archived);
    await tenant.messages.append(conversationId, messageOf('first'), { idempotencyKey: 'taken' });
    const refusals = [
      () => tenant.messages.append(conversationId, messageOf('another'), { idempotencyKey: 'taken' }),
      () => tenant.messages.append(archived, messageOf('x')),
      () => tenant.messages.append(NOTHING, messageOf('x')),
      () => tenant.messages.append(conversationId, messageOf('')),
    ];
    const calls = range(40).flatMap((n) => [
      () => tenant.messages.append(conversationId, messageOf(`message ${String(n)}`)),
      ...(n % 10 === 5 ? refusals : []),
    ]);
    const outcomes = await Promise.allSettled(calls.map((call) => call()));
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(failures.map((failure) => (failure as Error).constructor)).toEqual(
      range(4).flatMap(() => [IdempotencyConflictError, InvalidStateError, NotFoundError, ValidationError]),
    );
    expect(appendedOf(outcomes).map(({ seq }) => seq)).toEqual(range(40).map((n) => n + 2));
    expect((await tenant.conversations.get(conversationId)).messageCount).toBe(41);
  });

  it('under one idempotency key are one', async () => {
    const { tenant, conversationId } = await openAcme();
    const calls = range(60).map((n) =>
      tenant.messages.append(conversationId, messageOf(`request ${String(n % 6)}`), {
        idempotencyKey: `request ${String(n % 6)}`,
      }),
    );
    const appended = await Promise.all(calls);
    expect(new Set(appended.map(({ id }) => id)).size).toBe(6);
    for (const { content, idempotencyKey } of appended) expect(content).toBe(idempotencyKey);
    expect((await tenant.conversations.get(conversationId)).messageCount).toBe(6);
  });

  it('to many conversations, and larger than a statement should be, lose nothing', async () => {
    const { tenant, userId } = await openAcme();
    const chats = await Promise.all(range(5).map(() => tenant.conversations.start({ userId })));
    const large = 'x'.repeat(90_000);
    await Promise.all(
      range(60).map((n) => tenant.messages.append(chats[n % 5]?.id ?? '', messageOf(`${String(n)} ${large}`))),
    );
    for (const { id } of chats) {
      const seqs = (await tenant.messages.history(id)).map(({ seq }) => seq);
      expect(seqs).toEqual(range(12).map((n) => n + 1));
    }
  });

  it('wait for a unit of work that has the conversation, and do not become a part of it', async () => {
    const { tenant, conversationId } = await openAcme();
    const [begun, ends] = [createGate(), createGate()];
    const unit = tenant.transaction(async ({ messages }) => {
      await messages.append(conversationId, messageOf('taken back'));
      begun.open();
      await ends.opened;
      throw new Error('taken back');
    });
    await begun.opened;
    const appends = Promise.all(range(20).map((n) => tenant.messages.append(conversationId, messageOf(String(n)))));
    ends.open();
    await expect(unit).rejects.toThrow('taken back');
    expect((await appends).map(({ seq }) => seq)).toEqual(range(20).map((n) => n + 1));
    expect((await tenant.messages.history(conversationId)).map(({ content }) => content)).not.toContain('taken back');
  });

  it('and reads beside a unit of work see nothing that is not committed', async () => {
    const { tenant, conversationId } = await openAcme();
    const [written, ends] = [createGate(), createGate()];
    const unit = tenant.transaction(async ({ messages }) => {
      await messages.append(conversationId, messageOf('taken back'));
      written.open();
      await ends.opened;
      throw new Error('taken back');
    });
    await written.opened;
    const reads = [tenant.messages.history(conversationId), tenant.conversations.get(conversationId)] as const;
    // An embedded database lets the reads wait; a server answers with what there was.
    setImmediate(() => ends.open());
    await expect(unit).rejects.toThrow('taken back');
    const [messages, { messageCount }] = await Promise.all(reads);
    expect({ messages, messageCount }).toEqual({ messages: [], messageCount: 0 });
  });
});
