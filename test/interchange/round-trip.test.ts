import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportArchive } from '../../src/interchange/export-archive.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { freshUrl } from '../support/engine-under-test.js';
import { CHECKOUT } from '../support/child.js';
import { type ManagerOptions, openManager } from '../support/open-manager.js';
import { archiveFile, jsonLines } from './archive-files.js';

async function openShop(options: ManagerOptions = {}): Promise<TenantContext> {
  const { persistence } = await openManager({ url: await freshUrl(), ...options });
  await persistence.tenants.ensure({ slug: 'shop', name: 'Shop' });
  return persistence.tenant('shop');
}

async function exported(tenant: TenantContext): Promise<string> {
  let text = '';
  await exportArchive(tenant, async (line) => void (text += line));
  return text;
}

/** Imports into a database of its own, without a rejection, and exports from there. */
async function passedThrough(archive: string): Promise<string> {
  const tenant = await openShop({ seed: 99 });
  const rejections: unknown[] = [];
  const onRejected = (rejection: unknown): void => void rejections.push(rejection);
  await importArchives(tenant, [archiveFile(archive)], { onRejected });
  expect(rejections).toEqual([]);
  return exported(tenant);
}

function linesOf(archive: string): unknown[] {
  return archive
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}

interface Fixture {
  readonly format: string;
  readonly text: string;
  readonly key: string;
  readonly messages: readonly (readonly [role: string, content: string])[];
}

const node = (id: string, parent: string | null, role: string | null) => ({
  id,
  parent,
  children: [],
  message: role && { id, author: { role }, create_time: 1.5, content: { content_type: 'text', parts: [`${id} text`] } },
});

const FIXTURES: readonly Fixture[] = [
  {
    format: 'colloquy',
    text: jsonLines({
      source: 'star',
      id: '42',
      messages: ['b', 'a', 'c'].map((content) => ({ role: 'user', content })),
    }),
    key: 'star:42',
    messages: [
      ['user', 'b'],
      ['user', 'a'],
      ['user', 'c'],
    ],
  },
  {
    format: 'sharegpt',
    text: JSON.stringify([
      {
        id: 'identity_0',
        conversations: [
          { from: 'human', value: 'Who are you?' },
          { from: 'gpt', value: 'A program.' },
          { from: 'human', value: 'Really?' },
        ],
      },
    ]),
    key: 'sharegpt:identity_0',
    messages: [
      ['user', 'Who are you?'],
      ['assistant', 'A program.'],
      ['user', 'Really?'],
    ],
  },
  {
    format: 'openai',
    text: jsonLines({
      id: 'ft-1',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
        { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function' }] },
        { role: 'tool', content: 'Sun', tool_call_id: 'c' },
      ],
    }),
    key: 'openai:ft-1',
    messages: [
      ['system', 'Be brief.'],
      ['user', 'Weather?'],
      ['assistant', ''],
      ['tool', 'Sun'],
    ],
  },
  {
    format: 'chatgpt',
    text: JSON.stringify([
      {
        title: 'Chat',
        conversation_id: 'c1',
        current_node: 'a2',
        mapping: Object.fromEntries(
          [
            node('a2', 'q2', 'assistant'),
            node('root', null, null),
            node('q2', 'a1', 'user'),
            node('q1', 'root', 'user'),
            node('a1', 'q1', 'assistant'),
          ].map((entry) => [entry.id, entry]),
        ),
      },
    ]),
    key: 'chatgpt:c1',
    messages: [
      ['user', 'q1 text'],
      ['assistant', 'a1 text'],
      ['user', 'q2 text'],
      ['assistant', 'a2 text'],
    ],
  },
];

describe.each(FIXTURES)('an archive of the format $format', ({ format, text, key, messages }) => {
  it('gives conversations whose history is in order', async () => {
    const tenant = await openShop();
    const { files } = await importArchives(tenant, [archiveFile(text)]);
    expect(files).toMatchObject([{ format, counts: { conversations: { added: 1 }, rejected: 0 } }]);
    const { id } = await tenant.conversations.getByExternalId(key);
    const history = await tenant.messages.history(id);
    expect(history.map(({ seq }) => seq)).toEqual(messages.map((_message, index) => index + 1));
    expect(history.map(({ role, content }) => [role, content])).toEqual(messages);
  });

  it('is exported to an archive that gives the same bytes again', async () => {
    const first = await passedThrough(text);
    expect(linesOf(first)).toHaveLength(1);
    expect(await passedThrough(first)).toBe(first);
  });
});

describe('the sample', () => {
  const [conversations = '', documents = ''] = ['conversations', 'documents'].map((name) =>
    readFileSync(join(CHECKOUT, `examples/${name}.jsonl`), 'utf8'),
  );

  it('comes out line by line as it went in, and passes through again byte by byte', async () => {
    const out = await passedThrough(conversations + documents);
    const pages = linesOf(documents).map((page) => ({ kind: 'document', ...(page as object) }));
    expect(linesOf(out)).toEqual([...linesOf(conversations), ...pages]);
    expect(await passedThrough(out)).toBe(out);
  });
});

/** Everything that an application can make: every state, every field, and nothing that has an external id unless it must. */
async function furnish(tenant: TenantContext): Promise<void> {
  const { users, conversations, messages, voiceSessions, documents } = tenant;
  const ann = await users.create({
    externalId: 'ann',
    username: 'Ann',
    email: 'ann@example.com',
    metadata: { vip: true },
  });
  const bob = await users.create({ externalId: 'crm:7', username: 'Bob' });
  await users.create({ externalId: 'silent', username: 'Never said a word' });

  const plain = await conversations.start({ userId: ann.id });
  await messages.append(plain.id, { role: 'user', content: 'Hello\u2028there\n', tokenCount: 3 });
  const parts = [{ type: 'image_url', image_url: { url: 'https://example.com/cat.png' } }, null, 'text', 1.5];
  await messages.append(plain.id, { role: 'user', content: '', parts, modality: 'image' });
  await messages.append(plain.id, {
    role: 'assistant',
    content: 'A cat 🐈',
    references: [{ document: 'help:cats', score: 0.25 }],
    metadata: { model: 'small', nested: { empty: {}, list: [] }, none: null },
  });
  await messages.append(plain.id, { role: 'tool', content: '{"found":1}', parts: [], references: [], metadata: {} });

  const archived = await conversations.start({
    userId: bob.id,
    externalId: 'ticket-1',
    title: 'Kettle',
    summary: 'It boils.',
    metadata: { tags: ['urgent', 'kettle'], at: '2026' },
  });
  await messages.append(archived.id, { role: 'system', content: 'You answer for the shop.' });
  await conversations.archive(archived.id);
  await conversations.start({ userId: bob.id, externalId: 'crm:empty', title: 'Nothing was said' });

  for (const end of ['active', 'complete', 'fail', 'cancel'] as const) {
    const call = await conversations.start({ userId: ann.id, externalId: `calls:${end}` });
    await messages.append(call.id, { role: 'user', content: 'hello', modality: 'voice' });
    await messages.append(call.id, { role: 'assistant', content: 'hi', modality: 'text' });
    const session = await voiceSessions.start({
      externalId: `session-${end}`,
      userId: ann.id,
      conversationId: call.id,
      config: { codec: 'opus', rate: 48_000 },
      metadata: { carrier: 'x' },
    });
    if (end !== 'active')
      await voiceSessions[end](session.id, { audioDurationSeconds: 1.25, metadata: { ended: end } });
  }
  const silent = await conversations.start({ userId: ann.id, externalId: 'calls:no-session' });
  await messages.append(silent.id, { role: 'user', content: '', modality: 'voice' });

  for (const status of ['active', 'archived', 'deleted'] as const) {
    const title = `Page, ${status}`;
    const page = await documents.create({
      externalId: `page-${status}`,
      title,
      content: ' # Page\n',
      metadata: { n: 1 },
    });
    await documents.update(page.id, { status, contentType: 'text/markdown' });
  }
  await documents.create({ externalId: 'sourced', title: 'Sourced', content: 'x', source: 'help:en/sourced.md' });
}

describe('what an application has made', () => {
  it('is exported to an archive that gives the same bytes again', async () => {
    const tenant = await openShop();
    await furnish(tenant);
    const first = await exported(tenant);
    expect(linesOf(first)).toHaveLength(12);
    const second = await passedThrough(first);
    expect(linesOf(second)).toEqual(linesOf(first));
    expect(second).toBe(first);
  });

  it('keeps its ids, its times and its states on the way', async () => {
    const [tenant, copy] = [await openShop(), await openShop({ seed: 2 })];
    await furnish(tenant);
    await importArchives(copy, [archiveFile(await exported(tenant))]);
    const [before, after] = await Promise.all(
      [tenant, copy].map(async (shop) => {
        const { id, status, createdAt, summary, metadata, messageCount, tokenCount } =
          await shop.conversations.getByExternalId('ticket-1');
        const call = await shop.voiceSessions.getByExternalId('session-fail');
        const page = await shop.documents.getByExternalId('page-deleted');
        const [message] = await shop.messages.history(id);
        return {
          conversation: { status, createdAt, summary, metadata, messageCount, tokenCount },
          call: { ...call, id: '', tenantId: '', userId: '', conversationId: '', version: 1 },
          page: { ...page, id: '', tenantId: '', source: '', version: 1 },
          message: { content: message?.content, at: message?.createdAt },
        };
      }),
    );
    expect(after).toEqual(before);
  });

  it('loses no metadata of its own, whatever the key', async () => {
    const tenant = await openShop();
    const { id: userId } = await tenant.users.create({ externalId: 'ann', username: 'Ann' });
    await tenant.conversations
      .start({ userId, externalId: 'a', metadata: { colloquyArchive: 'box 7' } })
      .catch(() => undefined);
    await tenant.conversations
      .start({ userId, externalId: 'b', metadata: { colloquyArchive: null } })
      .catch(() => undefined);
    const archive = await exported(tenant);
    // A key that is refused at the beginning is not lost either.
    const stored = (await tenant.stats()).rows['conversations'] ?? 0;
    expect(linesOf(archive)).toHaveLength(stored);
    for (const line of linesOf(archive)) expect(line).toHaveProperty('metadata.colloquyArchive');
  });
});
