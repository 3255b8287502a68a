import { describe, expect, it } from 'vitest';
import type { ArchivedConversation, ArchivedMessage } from '../../src/interchange/archive.js';
import { readOne, readText, rejectionOf } from './archive-files.js';

function node(id: string, parent: string | null, role?: string, text = id, fields: object = {}): [string, object] {
  const message = role && {
    id,
    author: { role, name: null, metadata: {} },
    create_time: null,
    content: { content_type: 'text', parts: [text] },
    ...fields,
  };
  return [id, { id, message: message ?? null, parent, children: [] }];
}

function conversation(nodes: [string, object][], fields: object = {}): object {
  return { title: 'Chat', conversation_id: 'c1', mapping: Object.fromEntries(nodes), ...fields };
}

async function read(nodes: [string, object][], fields?: object): Promise<ArchivedConversation> {
  const record = await readOne(conversation(nodes, fields));
  if (record.kind !== 'conversation') throw new Error('not a conversation');
  return record;
}

async function readMessage(content: object, fields: object = {}): Promise<ArchivedMessage | undefined> {
  return (await read([node('a', null, 'assistant', '', { content, ...fields })])).messages[0];
}

const textsOf = (messages: readonly ArchivedMessage[]) => messages.map((message) => message.content);

/** root → q1 → a1 → q2 → a2, with q2 edited (q2b → a2b, and a second answer a2c) and a first question before it (q0). */
const TREE = [
  node('root', null),
  node('q0', 'root', 'user'),
  node('q1', 'root', 'user'),
  node('a1', 'q1', 'assistant'),
  node('q2b', 'a1', 'user'),
  node('a2b', 'q2b', 'assistant'),
  node('a2c', 'q2b', 'assistant'),
  node('q2', 'a1', 'user'),
  node('a2', 'q2', 'assistant'),
];

describe('a ChatGPT conversation', () => {
  it('is the active branch, with the other ones in its metadata', async () => {
    const record = await read(TREE, { current_node: 'a2', create_time: 1.5, plugin_ids: null });
    expect(record).toMatchObject({ source: 'chatgpt', id: 'c1', title: 'Chat', modality: 'text' });
    expect(record.messages).toStrictEqual([
      { role: 'user', content: 'q1', metadata: { nodeId: 'q1' } },
      { role: 'assistant', content: 'a1', metadata: { nodeId: 'a1' } },
      { role: 'user', content: 'q2', metadata: { nodeId: 'q2' } },
      { role: 'assistant', content: 'a2', metadata: { nodeId: 'a2' } },
    ]);
    expect(record.metadata).toStrictEqual({
      create_time: 1.5,
      branches: [
        { from: null, messages: [{ role: 'user', content: 'q0', metadata: { nodeId: 'q0' } }] },
        {
          from: 'a1',
          messages: [
            { role: 'user', content: 'q2b', metadata: { nodeId: 'q2b' } },
            { role: 'assistant', content: 'a2b', metadata: { nodeId: 'a2b' } },
          ],
        },
        { from: 'q2b', messages: [{ role: 'assistant', content: 'a2c', metadata: { nodeId: 'a2c' } }] },
      ],
    });
  });

  it('may end at an inner message', async () => {
    const record = await read(TREE, { current_node: 'q2b' });
    expect(textsOf(record.messages)).toEqual(['q1', 'a1', 'q2b']);
    expect(record.metadata?.['branches']).toMatchObject([
      { from: null },
      { from: 'a1', messages: [{ content: 'q2' }, { content: 'a2' }] },
      { from: 'q2b', messages: [{ content: 'a2b' }] },
      { from: 'q2b', messages: [{ content: 'a2c' }] },
    ]);
  });

  it('keeps messages that are not connected with the active branch', async () => {
    const record = await read([node('q', null, 'user'), node('lost', null, 'user')], { current_node: 'q' });
    expect(textsOf(record.messages)).toEqual(['q']);
    expect(record.metadata?.['branches']).toMatchObject([{ from: null, messages: [{ content: 'lost' }] }]);
  });

  it('ends at the newest leaf where the current one is not said', async () => {
    const nodes = [
      node('q', null, 'user'),
      node('old', 'q', 'assistant', 'old', { create_time: 10 }),
      node('new', 'q', 'assistant', 'new', { create_time: 20 }),
      node('mid', 'q', 'assistant', 'mid', { create_time: 15 }),
    ];
    expect(textsOf((await read(nodes)).messages)).toEqual(['q', 'new']);
  });

  it('is read where it is thousands of messages deep', async () => {
    const nodes = Array.from({ length: 20_000 }, (_, index) =>
      node(`n${index}`, index === 0 ? null : `n${index - 1}`, 'user'),
    );
    expect((await read(nodes, { current_node: 'n19999' })).messages).toHaveLength(20_000);
    expect((await read(nodes, { current_node: 'n0' })).metadata?.['branches']).toHaveLength(1);
  });

  it('has its identifier from either key, or from its content', async () => {
    const values = [{ conversation_id: 'a', id: 'b' }, { id: 'b' }, {}].map((ids) => ({ ...ids, mapping: {} }));
    const entries = await readText(JSON.stringify(values));
    const ids = entries.map((entry) =>
      'record' in entry && entry.record.kind === 'conversation' ? entry.record.id : '',
    );
    expect(ids).toEqual(['a', 'b', expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('is archived where it says so', async () => {
    expect(await read([], { is_archived: true })).toMatchObject({ status: 'archived' });
    expect(await read([], { is_archived: false })).not.toHaveProperty('status');
  });

  it.each([
    ['the conversation has no "mapping"', {}],
    ['the conversation: "current_node" is not in its "mapping"', conversation(TREE, { current_node: 'x' })],
    ['the conversation has a node whose parent is not in its "mapping"', conversation([node('a', 'x', 'user')])],
    [
      'the conversation has nodes whose parents go round in a circle',
      conversation([node('root', null), node('a', 'b', 'user'), node('b', 'a', 'user')], { current_node: 'b' }),
    ],
    ['the conversation has nodes whose parents go round in a circle', conversation([node('a', 'a', 'user')])],
    ['a node of "mapping" is not an object', { mapping: { a: 5 } }],
    ['a node of "mapping": "message" is not an object', { mapping: { a: { message: 'x' } } }],
    [
      'message "a" has role "robot"; known roles are user, assistant, system, tool',
      conversation([node('a', null, 'robot')]),
    ],
    [
      'message "a": "create_time" is not a time in seconds',
      conversation([node('a', null, 'user', 'x', { create_time: 1e300 })]),
    ],
  ])('is rejected: %s', async (reason, value) => {
    expect(await rejectionOf(value, { format: 'chatgpt' })).toBe(reason);
  });
});

describe('a ChatGPT message', () => {
  it('has its time, and what has no field of its own in its metadata', async () => {
    const content = { content_type: 'text', parts: ['one', 'two'] };
    const author = { role: 'tool', name: 'browser', metadata: {} };
    const fields = { author, create_time: 1_700_000_000.123456, weight: 1, end_turn: null };
    expect(await readMessage(content, { ...fields, metadata: { model_slug: 'gpt-4' } })).toStrictEqual({
      role: 'tool',
      content: 'one\ntwo',
      at: '2023-11-14T22:13:20.123Z',
      metadata: { weight: 1, model_slug: 'gpt-4', nodeId: 'a', authorName: 'browser' },
    });
  });

  it('keeps parts that are not text', async () => {
    const image = { content_type: 'image_asset_pointer', asset_pointer: 'file-service://1' };
    expect(await readMessage({ content_type: 'multimodal_text', parts: [image, 'What is it?'] })).toStrictEqual({
      role: 'assistant',
      content: 'What is it?',
      parts: [image],
      modality: 'image',
      metadata: { nodeId: 'a', contentType: 'multimodal_text' },
    });
  });

  it('has what was spoken as its content', async () => {
    const parts = [
      { content_type: 'audio_transcription', text: 'Hello', direction: 'in' },
      { content_type: 'audio_asset_pointer', asset_pointer: 'file-service://2' },
    ];
    expect(await readMessage({ content_type: 'multimodal_text', parts })).toMatchObject({
      content: 'Hello',
      parts,
      modality: 'voice',
    });
  });

  it('has code and its output as its content', async () => {
    expect(await readMessage({ content_type: 'code', language: 'python', text: 'print(1)' })).toStrictEqual({
      role: 'assistant',
      content: 'print(1)',
      metadata: { nodeId: 'a', contentType: 'code', language: 'python' },
    });
    expect(await readMessage({ content_type: 'execution_output', text: '1' })).toMatchObject({ content: '1' });
  });

  it('keeps content of another type as it is', async () => {
    const quoted = { content_type: 'tether_quote', url: 'example.org', text: 'quoted' };
    expect(await readMessage(quoted)).toMatchObject({ content: 'quoted', parts: [quoted] });
    const thoughts = { content_type: 'thoughts', thoughts: [{ summary: 's' }] };
    expect(await readMessage(thoughts)).toMatchObject({ content: '', parts: [thoughts] });
  });

  it('is passed over if it says nothing, unless the user said so', async () => {
    const hidden = { metadata: { is_visually_hidden_from_conversation: true } };
    const record = await read([
      node('s', null, 'system', '', hidden),
      node('hidden', 's', 'user', '', hidden),
      node('silent', 'hidden', 'user', ''),
      node('empty', 'silent', 'assistant', ''),
      node('tool', 'empty', 'tool', ''),
      node('shown', 'tool', 'system', 'rules', hidden),
    ]);
    expect(record.messages.map((message) => message.metadata?.['nodeId'])).toEqual(['silent', 'shown']);
  });
});
