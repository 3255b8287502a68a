import { describe, expect, it } from 'vitest';
import { importArchives } from '../../src/interchange/import-archives.js';
import { freshUrl } from '../support/engine-under-test.js';
import { talk, turns } from '../support/invented-archive.js';
import { openManager } from '../support/open-manager.js';
import { dumpTables, storedConversations } from '../support/table-dump.js';
import { archiveFile, jsonLines } from './archive-files.js';

const NOW = '2026-01-01T12:00:00.000Z';

async function importLines(...lines: readonly object[]) {
  const url = await freshUrl();
  const { persistence } = await openManager({ url });
  await persistence.tenants.ensure({ slug: 'shop', name: 'Shop' });
  const tenant = persistence.tenant('shop');
  const { total } = await importArchives(tenant, [archiveFile(jsonLines(...lines))]);
  const conversation = (externalId: string) => tenant.conversations.getByExternalId(externalId);
  const messages = async (externalId: string) => tenant.messages.history((await conversation(externalId)).id);
  const call = (externalId: string) => tenant.voiceSessions.getByExternalId(externalId);
  return { url, tenant, total, conversation, messages, call };
}

describe('users', () => {
  it('are shared by the conversations of a source, and not between sources', async () => {
    const [ann, bob] = [{ participants: { user: 'ann' } }, { participants: { user: 'bob' } }];
    const { url, total, conversation } = await importLines(
      talk('1', ann),
      talk('2', bob),
      talk('3', ann),
      talk('1', { ...ann, source: 'clinic' }),
    );
    const userOf = async (externalId: string) => (await conversation(externalId)).userId;
    expect(total.users).toBe(3);
    const users = (await dumpTables(url))['users'] ?? [];
    expect(users.map((user) => String(user['external_id'])).toSorted()).toEqual(['clinic:ann', 'shop:ann', 'shop:bob']);
    expect(await userOf('shop:3')).toBe(await userOf('shop:1'));
    expect(await userOf('shop:2')).not.toBe(await userOf('shop:1'));
    expect(await userOf('clinic:1')).not.toBe(await userOf('shop:1'));
  });

  it('whom a source does not name are one user of that source', async () => {
    const { total, tenant, conversation } = await importLines(
      talk('1'),
      talk('2'),
      talk('1', { source: 'clinic' }),
      talk('3', { participants: { user: 'ann', assistant: 'desk' } }),
    );
    const [one, two, other] = await Promise.all(['shop:1', 'shop:2', 'clinic:1'].map(conversation));
    expect(total.users).toBe(3);
    expect(one?.userId).toBe(two?.userId);
    expect(other?.userId).not.toBe(one?.userId);
    expect(await tenant.users.get(one?.userId ?? '')).toMatchObject({ externalId: 'shop:', username: 'shop' });
  });

  it('are those that a later import meets again', async () => {
    const { tenant, conversation } = await importLines(talk('1', { participants: { user: 'ann' } }));
    const later = archiveFile(jsonLines(talk('2', { participants: { user: 'ann' } })));
    expect((await importArchives(tenant, [later])).total).toMatchObject({ users: 0, conversations: { added: 1 } });
    expect((await conversation('shop:2')).userId).toBe((await conversation('shop:1')).userId);
  });
});

describe('a voice conversation', () => {
  it('becomes a completed voice session, as long as its recording', async () => {
    const spoken = [
      { role: 'user', content: 'hello', startMs: 0, endMs: 1200 },
      { role: 'assistant', content: 'hi', startMs: 900, endMs: 61_500 },
      { role: 'user', content: 'bye', startMs: 2000, endMs: 3000 },
    ];
    const { total, call, conversation } = await importLines(talk('1', { modality: 'voice', messages: spoken }));
    const { id, userId } = await conversation('shop:1');
    expect(total.voiceSessions).toBe(1);
    expect(await call('shop:1')).toMatchObject({
      status: 'completed',
      conversationId: id,
      userId,
      durationSeconds: 61.5,
      audioDurationSeconds: 61.5,
      startTime: new Date(NOW),
      endTime: new Date(Date.parse(NOW) + 61_500),
    });
  });

  it('without a recording lasts from its earliest to its latest message', async () => {
    const { call } = await importLines(
      talk('1', {
        modality: 'voice',
        messages: ['2026-02-03T10:00:30Z', '2026-02-03T10:00:00Z', '2026-02-03T11:02:00+01:00'].map((at) => ({
          role: 'user',
          content: 'hello',
          at,
        })),
      }),
    );
    expect(await call('shop:1')).toMatchObject({
      startTime: new Date('2026-02-03T10:00:00Z'),
      endTime: new Date('2026-02-03T10:02:00Z'),
      durationSeconds: 120,
      audioDurationSeconds: null,
    });
  });

  it('that gives no times has a session of unknown length', async () => {
    const { call } = await importLines(talk('1', { modality: 'voice' }));
    expect(await call('shop:1')).toMatchObject({ status: 'completed', durationSeconds: null, endTime: new Date(NOW) });
  });

  it('may hold empty transcriptions, which a text conversation may not', async () => {
    const messages = [...turns(1), { role: 'user', content: '' }];
    const { total, messages: stored } = await importLines(talk('1', { modality: 'voice', messages }));
    expect(total).toMatchObject({ conversations: { added: 1 }, rejected: 0 });
    expect((await stored('shop:1')).map(({ content, modality }) => [content, modality])).toEqual([
      ['turn 1', 'voice'],
      ['', 'voice'],
    ]);
  });

  it('has the sessions that the archive describes, where it describes some', async () => {
    const sessions = [
      { externalId: 'a', status: 'failed', startTime: NOW, endTime: NOW },
      { externalId: 'b', status: 'active', startTime: NOW, config: { codec: 'opus' } },
    ];
    const { total, call } = await importLines(talk('1', { modality: 'voice', voiceSessions: sessions }));
    expect(total.voiceSessions).toBe(2);
    expect(await call('a')).toMatchObject({ status: 'failed', startTime: new Date(NOW), endTime: new Date(NOW) });
    expect(await call('b')).toMatchObject({ status: 'active', endTime: null, config: { codec: 'opus' } });
  });
});

describe('times', () => {
  const times = ['2026-02-03T10:00:00+09:00', undefined, '2026-02-03T00:59:58.250Z', '2026-02-03T01:00:07Z'];

  it('are those of the archive, while the messages stay in its order', async () => {
    const messages = times.map((at, index) => ({ role: 'user', content: `m${String(index)}`, at, tokenCount: index }));
    const { conversation, messages: stored } = await importLines(talk('1', { messages }));
    expect(
      (await stored('shop:1')).map(({ seq, content, createdAt }) => [seq, content, createdAt.toISOString()]),
    ).toEqual([
      [1, 'm0', '2026-02-03T01:00:00.000Z'],
      [2, 'm1', '2026-02-03T01:00:00.000Z'],
      [3, 'm2', '2026-02-03T00:59:58.250Z'],
      [4, 'm3', '2026-02-03T01:00:07.000Z'],
    ]);
    expect(await conversation('shop:1')).toMatchObject({
      createdAt: new Date('2026-02-03T01:00:00Z'),
      lastMessageAt: new Date('2026-02-03T01:00:07Z'),
      messageCount: 4,
      tokenCount: 6,
    });
  });

  it('are the time of the import where the archive gives none', async () => {
    const { conversation, messages } = await importLines(talk('1'));
    expect(await conversation('shop:1')).toMatchObject({ createdAt: new Date(NOW), lastMessageAt: new Date(NOW) });
    expect((await messages('shop:1')).map(({ createdAt }) => createdAt)).toEqual([new Date(NOW), new Date(NOW)]);
  });

  it('and counters of every conversation agree with its messages', async () => {
    const lines = Array.from({ length: 60 }, (_unused, index) => {
      const messages = turns(index % 7).map((turn, seq) => ({
        ...turn,
        at: new Date(Date.UTC(2026, 1, 3) + ((seq * 7919 + index) % 100) * 1000).toISOString(),
        tokenCount: (seq * index) % 11,
      }));
      return talk(`talk-${String(index)}`, { messages });
    });
    const { url } = await importLines(...lines);
    const stored = await storedConversations(url);
    expect(stored).toHaveLength(60);
    for (const row of stored) {
      expect(row).toMatchObject({ stored: row.counted, storedTokens: row.tokens, storedLastAt: row.lastMessageAt });
    }
  });

  it('do not stop a conversation from going on after the import', async () => {
    const { tenant, conversation, messages } = await importLines(talk('1'));
    const { id } = await conversation('shop:1');
    await tenant.messages.append(id, { role: 'user', content: 'and another thing', tokenCount: 4 });
    expect((await messages('shop:1')).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await conversation('shop:1')).toMatchObject({ messageCount: 3, tokenCount: 4 });
  });
});
