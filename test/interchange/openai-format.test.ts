import { expect, it } from 'vitest';
import { readOne, rejectionOf } from './archive-files.js';

async function readMessage(message: object): Promise<unknown> {
  const record = await readOne({ messages: [message] });
  return record.kind === 'conversation' ? record.messages[0] : undefined;
}

it('reads a line of a chat file', async () => {
  const messages = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
  ];
  expect(await readOne({ id: 'c1', messages, tools: [{ type: 'function' }] })).toStrictEqual({
    kind: 'conversation',
    source: 'openai',
    id: 'c1',
    modality: 'text',
    metadata: { tools: [{ type: 'function' }] },
    messages,
  });
});

it('identifies a line without an identifier by its content', async () => {
  expect(await readOne({ messages: [] })).toHaveProperty('id', expect.stringMatching(/^[0-9a-f]{32}$/));
});

it.each([
  ['developer', 'system'],
  ['function', 'tool'],
])('takes %s for %s and keeps the original role', async (originalRole, role) => {
  expect(await readMessage({ role: originalRole, content: 'x', name: 'n' })).toStrictEqual({
    role,
    content: 'x',
    metadata: { originalRole, name: 'n' },
  });
});

it('keeps tool calls and their answers', async () => {
  const call = { tool_calls: [{ id: 'call_1', function: { name: 'f', arguments: '{}' } }] };
  const parts = [{ type: 'tool_calls', ...call }];
  const expected = { role: 'assistant', content: '', parts, metadata: call };
  expect(await readMessage({ role: 'assistant', content: null, ...call })).toStrictEqual(expected);
  expect(await readMessage({ role: 'assistant', ...call })).toStrictEqual(expected);
  expect(await readMessage({ role: 'tool', content: '{}', tool_call_id: 'call_1' })).toStrictEqual({
    role: 'tool',
    content: '{}',
    metadata: { tool_call_id: 'call_1' },
  });
});

it.each([
  [{ type: 'image_url', image_url: { url: 'data:' } }, { modality: 'image' }],
  [{ type: 'input_audio', input_audio: { data: '' } }, { modality: 'voice' }],
  [{ type: 'file' }, {}],
])('joins the text of parts and keeps the parts: %j', async (part, modality) => {
  const content = [{ type: 'text', text: 'Look:' }, part, { type: 'text', text: 'what is it?' }];
  expect(await readMessage({ role: 'user', content })).toStrictEqual({
    role: 'user',
    content: 'Look:\nwhat is it?',
    parts: content,
    ...modality,
  });
});

it.each([
  ['the conversation has no "messages"', {}],
  ['message 1 has no "content"', { messages: [{ role: 'assistant', content: null }] }],
  ['message 1: "content" is not a string or an array', { messages: [{ role: 'user', content: {} }] }],
  ['a part of message 1 is not an object', { messages: [{ role: 'user', content: [5] }] }],
  [
    'message 1 has role "bot"; known roles are system, developer, user, assistant, tool, function',
    { messages: [{ role: 'bot', content: '' }] },
  ],
])('rejects a line: %s', async (reason, value) => {
  expect(await rejectionOf(value, { format: 'openai' })).toBe(reason);
});
