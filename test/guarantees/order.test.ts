import { describe, expect, it } from 'vitest';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { freshUrl } from '../support/engine-under-test.js';
import { startChild } from '../support/child.js';
import { openAcme, openManager } from '../support/open-manager.js';
import { fakeClock } from '../support/sources.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

async function startConversations(tenant: TenantContext, userId: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) ids.push((await tenant.conversations.start({ userId })).id);
  return ids;
}

/** The whole conversation is dense, in order, and agrees with its counters. */
async function assertOrdered(tenant: TenantContext, conversationId: string, count: number): Promise<void> {
  const messages = await tenant.messages.history(conversationId, { last: 10_000 });
  expect(messages.map(({ seq }) => seq)).toEqual(upTo(count));
  expect(new Set(messages.map(({ id }) => id)).size).toBe(count);
  const tokenCount = messages.reduce((sum, message) => sum + message.tokenCount, 0);
  const lastMessageAt = messages.at(-1)?.createdAt;
  const conversation = await tenant.conversations.get(conversationId);
  expect(conversation).toMatchObject({ messageCount: count, tokenCount, lastMessageAt });
}

/** 32 writers, 50 messages each, over all conversations in turn. */
async function appendByMany(tenant: TenantContext, conversations: readonly string[]): Promise<void> {
  const acknowledged = new Map(conversations.map((id) => [id, [] as number[]]));
  const write = async (writer: number): Promise<void> => {
    let last = new Map<string, number>();
    for (let index = 0; index < 50; index++) {
      const id = conversations[(writer + index) % conversations.length] ?? '';
      const content = `${String(writer)}-${String(index)}`;
      const { seq } = await tenant.messages.append(id, { role: 'user', content, tokenCount: writer });
      expect(seq).toBeGreaterThan(last.get(id) ?? 0);
      last = new Map([...last, [id, seq]]);
      acknowledged.get(id)?.push(seq);
    }
  };
  await Promise.all(Array.from({ length: 32 }, (_, writer) => write(writer)));
  const each = (32 * 50) / conversations.length;
  for (const id of conversations) {
    expect(acknowledged.get(id)?.toSorted((a, b) => a - b)).toEqual(upTo(each));
    await assertOrdered(tenant, id, each);
  }
}

describe('32 writers at once on 4 conversations give each a dense sequence', () => {
  it.each([
    ['goes on', 1],
    ['stands still', 0],
    ['runs backwards', -1000],
  ])('with a clock that %s', async (_how, step) => {
    const clock = fakeClock({ step });
    const { tenant, userId } = await openAcme({ url: await freshUrl(), clock });
    await appendByMany(tenant, await startConversations(tenant, userId, 4));
  });
});

it('two processes with 16 writers each give each conversation a dense sequence', async () => {
  const url = await freshUrl();
  const { tenant, userId, persistence } = await openAcme({ url });
  const conversations = await startConversations(tenant, userId, 4);
  await persistence.close();
  const children = [1, 2].map(() => startChild('append-many', [url, '16', '25', ...conversations]));
  const readers = children.map(({ lines }) => lines[Symbol.asyncIterator]());
  for (const reader of readers) expect((await reader.next()).value).toBe('ready');
  for (const { process: child } of children) child.stdin?.write('go\n');
  const printed = await Promise.all(
    readers.map(async (reader) => {
      const lines: string[] = [];
      for await (const line of { [Symbol.asyncIterator]: () => reader }) lines.push(line);
      return lines;
    }),
  );
  for (const child of children) expect(await child.ended).toMatchObject({ code: 0, errors: '' });
  const acknowledged = printed.flat();
  expect(new Set(acknowledged).size).toBe(2 * 16 * 25);
  const { persistence: again } = await openManager({ url, seed: 2 });
  for (const id of conversations) {
    const seqs = acknowledged.filter((line) => line.startsWith(id)).map((line) => Number(line.split(' ')[1]));
    expect(seqs.toSorted((a, b) => a - b)).toEqual(upTo(200));
    await assertOrdered(again.tenant('acme'), id, 200);
  }
});

describe('history', () => {
  const openWithNine = async () => {
    const opened = await openAcme({ clock: fakeClock({ step: -1000 }) });
    const { tenant, conversationId } = opened;
    for (const seq of upTo(9)) await tenant.messages.append(conversationId, { role: 'user', content: String(seq) });
    return opened;
  };

  it.each([
    ['the last', { last: 3 }, [7, 8, 9]],
    ['more than there are', { last: 100 }, upTo(9)],
    ['those after one', { after: 4, limit: 3 }, [5, 6, 7]],
    ['those after the last', { after: 9 }, []],
    ['those before one', { before: 4, limit: 2 }, [2, 3]],
    ['those before the first', { before: 1 }, []],
  ])('gives %s in the order in which they were accepted, whatever the clock said', async (_what, request, expected) => {
    const { tenant, conversationId } = await openWithNine();
    const messages = await tenant.messages.history(conversationId, request);
    expect(messages.map(({ seq, content }) => [seq, content])).toEqual(expected.map((seq) => [seq, String(seq)]));
  });

  it('read in pieces while others write neither skips nor repeats', async () => {
    const { tenant, conversationId } = await openWithNine();
    const seen: number[] = [];
    for (let after = 0; seen.length < 12; after = seen.at(-1) ?? 0) {
      if (seen.length < 9) await tenant.messages.append(conversationId, { role: 'user', content: 'meanwhile' });
      const piece = await tenant.messages.history(conversationId, { after, limit: 3 });
      seen.push(...piece.map(({ seq }) => seq));
    }
    expect(seen).toEqual(upTo(12));
  });
});
