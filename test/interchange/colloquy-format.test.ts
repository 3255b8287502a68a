import { describe, expect, it } from 'vitest';
import { archiveFile, jsonLines, readAll, readOne, rejectionOf } from './archive-files.js';

const said = { role: 'user', content: 'hello' };
const conversation = { source: 'star', id: '1', modality: 'text', messages: [said] };

function withMessage(fields: object): object {
  return { ...conversation, messages: [said, { ...said, ...fields }] };
}

async function reasonFor(value: unknown): Promise<string> {
  return rejectionOf(value, { format: 'colloquy' });
}

describe('a Colloquy conversation', () => {
  it('keeps every field that it has', async () => {
    const full = {
      source: 'primock57',
      id: 'day1',
      title: 'Day 1',
      summary: 'A visit',
      status: 'archived',
      lang: 'en',
      modality: 'voice',
      participants: { user: 'p1', assistant: 'd1' },
      metadata: { ward: 3 },
      messages: [
        {
          role: 'tool',
          content: '',
          at: '2022-08-06T15:17:10.526+09:00',
          startMs: 0,
          endMs: 0.5,
          modality: 'image',
          parts: [{ type: 'text' }],
          references: ['r'],
          tokenCount: 3,
          metadata: { model: 'm' },
        },
      ],
      voiceSessions: [
        {
          externalId: 'call-1',
          status: 'completed',
          startTime: '2024-01-01T10:00:00Z',
          endTime: '2024-01-01T10:05:00Z',
          durationSeconds: 300,
          audioDurationSeconds: 290.5,
          config: { voice: 'alto' },
          metadata: { line: 2 },
        },
      ],
    };
    expect(await readOne(full)).toStrictEqual({ kind: 'conversation', ...full });
    expect(await readOne({ kind: 'conversation', ...full })).toStrictEqual({ kind: 'conversation', ...full });
  });

  it('has no field that the line does not have, or has as null', async () => {
    const line = { source: 'a', id: 'b', title: null, participants: null, messages: [{ ...said, at: null }] };
    expect(await readOne(line)).toStrictEqual({
      kind: 'conversation',
      source: 'a',
      id: 'b',
      modality: 'text',
      messages: [said],
    });
  });

  it('may have no messages', async () => {
    expect(await readOne({ ...conversation, messages: [] })).toMatchObject({ messages: [] });
  });

  it('keeps unknown keys in its metadata, an explicit one first', async () => {
    const line =
      `{"source":"a","id":"b","topic":"x","mood":1,"metadata":{"mood":2},"participants":{"user":"u","judge":"j"},
      "messages":[{"role":"user","content":"","__proto__":{"a":1},"metadata":{"b":2}}]}`.replaceAll('\n', '');
    const [entry] = await readAll(archiveFile(line));
    expect(entry).toMatchObject({
      record: {
        metadata: { topic: 'x', mood: 2, participants: { judge: 'j' } },
        participants: { user: 'u' },
        messages: [{ metadata: JSON.parse('{"__proto__":{"a":1},"b":2}') as unknown }],
      },
    });
  });

  it("gives a message's modality only where it differs", async () => {
    const messages = [
      { ...said, modality: 'voice' },
      { ...said, modality: 'text' },
    ];
    expect(await readOne({ ...conversation, modality: 'voice', messages })).toHaveProperty('messages', [
      said,
      { ...said, modality: 'text' },
    ]);
  });

  it.each([
    ['the record is not an object', 'text'],
    ['the conversation has no "messages"', { source: 'a', id: 'b' }],
    ['the conversation: "messages" is not an array', { ...conversation, messages: {} }],
    ['the conversation has no "source"', { id: 'b', messages: [] }],
    ['the conversation has an empty "source"', { ...conversation, source: '' }],
    ['the conversation has no "id"', { source: 'a', messages: [] }],
    ['the conversation has an empty "id"', { ...conversation, id: '' }],
    ['the conversation: "id" is not a string', { ...conversation, id: 7 }],
    ['the conversation has modality "smell"; known are text, voice', { ...conversation, modality: 'smell' }],
    ['the conversation has status "gone"; known are active, archived', { ...conversation, status: 'gone' }],
    ['the conversation: "metadata" is not an object', { ...conversation, metadata: [] }],
    ['"participants": "user" is not a string', { ...conversation, participants: { user: 1 } }],
    ['message 1 is not an object', { ...conversation, messages: ['hello'] }],
    ['message 2 has no "role"', withMessage({ role: undefined })],
    [
      'message 2 has role "robot"; known roles are user, assistant, system, tool',
      withMessage({ role: 'robot', content: 5 }),
    ],
    [
      `message 2 has role "\\n${'x'.repeat(39)}…"; known roles are user, assistant, system, tool`,
      withMessage({ role: `\n${'x'.repeat(100)}` }),
    ],
    [
      'message 2 has role "constructor"; known roles are user, assistant, system, tool',
      withMessage({ role: 'constructor' }),
    ],
    ['message 2 has no "content"', withMessage({ content: undefined })],
    ['message 2: "content" is not a string', withMessage({ content: ['hello'] })],
    ['message 2 has modality "smell"; known are text, voice, image', withMessage({ modality: 'smell' })],
    ['message 2: "startMs" is not a finite number from 0', withMessage({ startMs: -1 })],
    ['message 2: "endMs" is not a finite number from 0', withMessage({ endMs: '5' })],
    ['message 2 has an "endMs" before its "startMs"', withMessage({ startMs: 5, endMs: 4 })],
    ['message 2: "tokenCount" is not a whole number', withMessage({ tokenCount: 1.5 })],
    ['message 2: "parts" is not an array', withMessage({ parts: {} })],
    ['voice session 1 has no "status"', { ...conversation, voiceSessions: [{ externalId: 'a' }] }],
    [
      'voice session 1 has no "startTime"',
      { ...conversation, voiceSessions: [{ externalId: 'a', status: 'completed' }] },
    ],
    [
      'voice session 1 has an "endTime" before its "startTime"',
      {
        ...conversation,
        voiceSessions: [
          {
            externalId: 'a',
            status: 'completed',
            startTime: '2024-01-01T10:00:00Z',
            endTime: '2024-01-01T10:59:00+01:00',
          },
        ],
      },
    ],
  ])('is rejected: %s', async (reason, value) => {
    expect(await reasonFor(value)).toBe(reason);
  });

  it('is rejected for a number that is not finite', async () => {
    const line = JSON.stringify(withMessage({ startMs: 1 })).replace('"startMs":1', '"startMs":1e999');
    const [entry] = await readAll(archiveFile(line));
    expect(entry).toEqual({ line: 1, reason: 'message 2: "startMs" is not a finite number from 0' });
  });
});

describe('the time of a message', () => {
  it.each([
    '2020-05-12T12:25:56Z',
    '2022-10-19T22:54:51.746000+09:00',
    '2024-02-29T00:00:00-11:30',
    '2023-12-31T23:59+00:00',
  ])('is taken exactly as it is: %s', async (at) => {
    expect(await readOne(withMessage({ at }))).toMatchObject({ messages: [said, { ...said, at }] });
  });

  it.each([
    '2020-05-12T12:25:56',
    '2020-05-12',
    '2020-05-12 12:25:56Z',
    '12 May 2020 12:25:56 GMT',
    '2023-02-29T00:00:00Z',
    '2024-04-31T00:00:00+09:00',
    '2024-13-01T00:00:00Z',
    '2024-01-01T25:00:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00+25:00',
    '',
  ])('is rejected if it is not a real one with an offset: %j', async (at) => {
    expect(await reasonFor(withMessage({ at }))).toBe('message 2: "at" is not a real time in ISO 8601 with an offset');
  });
});

describe('a Colloquy file', () => {
  const document = { title: 'Guide', content: 'Read me', source: 'docs:guide' };

  it('holds documents beside conversations', async () => {
    const text = jsonLines({ kind: 'document', ...document }, conversation, { ...document, externalId: 'guide-2' });
    const entries = await readAll(archiveFile(text));
    expect(entries).toMatchObject([
      { line: 1, record: { kind: 'document', externalId: 'docs:guide', contentType: 'text/plain' } },
      { line: 2, record: { kind: 'conversation', id: '1' } },
      { line: 3, record: { kind: 'document', externalId: 'guide-2' } },
    ]);
  });

  it('takes a line with messages for a conversation, whatever else it has', async () => {
    expect(await readOne({ ...conversation, title: 'Guide', content: 'x' })).toMatchObject({
      kind: 'conversation',
      metadata: { content: 'x' },
    });
  });
});
