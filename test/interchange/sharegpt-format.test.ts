import { describe, expect, it } from 'vitest';
import { archiveFile, jsonLines, readAll, readOne, readText, rejectionOf } from './archive-files.js';

const conversations = [
  { from: 'human', value: 'Who are you?' },
  { from: 'gpt', value: 'A model.' },
];
const messages = [
  { role: 'user', content: 'Who are you?' },
  { role: 'assistant', content: 'A model.' },
];

describe('a ShareGPT conversation', () => {
  it('is read from an array or from lines', async () => {
    const values = [
      { id: 'identity_0', conversations },
      { id: 7, items: conversations },
    ];
    const expected = [
      { kind: 'conversation', source: 'sharegpt', id: 'identity_0', modality: 'text', messages },
      { kind: 'conversation', source: 'sharegpt', id: '7', modality: 'text', messages },
    ];
    for (const text of [JSON.stringify(values), JSON.stringify(values, null, 2), jsonLines(...values)]) {
      const entries = await readText(text);
      expect(entries.map((entry) => 'record' in entry && entry.record)).toStrictEqual(expected);
    }
  });

  it('keeps other keys in metadata, but a title as title', async () => {
    const value = {
      id: 'a',
      title: 'T',
      system: 'Be kind.',
      conversations: [{ from: 'human', value: '', markdown: true }],
    };
    expect(await readOne(value)).toMatchObject({
      title: 'T',
      metadata: { system: 'Be kind.' },
      messages: [{ metadata: { markdown: true } }],
    });
  });

  it.each([
    ['human', { role: 'user' }],
    ['user', { role: 'user' }],
    ['gpt', { role: 'assistant' }],
    ['assistant', { role: 'assistant' }],
    ['system', { role: 'system' }],
    ['tool', { role: 'tool' }],
    ['chatgpt', { role: 'assistant', metadata: { from: 'chatgpt' } }],
    ['bard', { role: 'assistant', metadata: { from: 'bard' } }],
    ['bing', { role: 'assistant', metadata: { from: 'bing' } }],
    ['model', { role: 'assistant', metadata: { from: 'model' } }],
    ['function_call', { role: 'assistant', metadata: { from: 'function_call' } }],
    ['function', { role: 'tool', metadata: { from: 'function' } }],
    ['function_response', { role: 'tool', metadata: { from: 'function_response' } }],
    ['observation', { role: 'tool', metadata: { from: 'observation' } }],
  ])('may have %s as a speaker', async (from, message) => {
    const record = await readOne({ id: 'a', conversations: [{ from, value: 'x' }] });
    expect(record).toMatchObject({ messages: [{ content: 'x', ...message }] });
    expect(JSON.stringify(record).includes('metadata')).toBe('metadata' in message);
  });

  it.each([
    ['the conversation has no "conversations"', { id: 'a' }],
    ['the conversation: "conversations" is not an array', { conversations: 5 }],
    ['the conversation: "id" is a number that is not exact; quote it', { id: 2 ** 60, conversations }],
    ['the conversation: "id" is not a string', { id: {}, conversations }],
    ['message 1 has no "from"', { conversations: [{ role: 'user', content: 'x' }] }],
    ['message 1 has no "value"', { conversations: [{ from: 'gpt', value: null }] }],
  ])('is rejected: %s', async (reason, value) => {
    expect(await rejectionOf(value, { format: 'sharegpt' })).toBe(reason);
  });

  it('is rejected for a speaker it does not know', async () => {
    const reason = await rejectionOf({ conversations: [{ from: 'Robot', value: 'x' }] }, { format: 'sharegpt' });
    expect(reason).toMatch(/^message 1 has role "Robot"; known roles are human, user, gpt, /);
  });
});

describe('a conversation without an identifier', () => {
  it('gets one from its content, the same at every reading', async () => {
    const file = archiveFile(jsonLines({ conversations }, { conversations: [] }, { conversations }, { conversations }));
    const idsOf = async () =>
      (await readAll(file)).map(
        (entry) => 'record' in entry && entry.record.kind === 'conversation' && entry.record.id,
      );
    const [first, second, ...others] = await idsOf();
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toMatch(/^[0-9a-f]{32}$/);
    expect(second).not.toBe(first);
    expect(others).toEqual([`${first}-2`, `${first}-3`]);
    expect(await idsOf()).toEqual([first, second, ...others]);
  });

  it('gets the same one in another layout', async () => {
    const turned = conversations.map(({ from, value }) => ({ value, from }));
    const one = await readOne({ a: 1, conversations });
    const [other] = await readText(JSON.stringify([{ conversations: turned, a: 1 }], null, 2));
    expect(other).toMatchObject({ record: { id: one.kind === 'conversation' && one.id } });
  });
});
