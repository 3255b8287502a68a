import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { exportArchive } from '../../src/interchange/export-archive.js';
import { importArchives, type ImportRejection } from '../../src/interchange/import-archives.js';
import { openManager } from '../support/open-manager.js';
import { archiveFile, jsonLines } from './archive-files.js';

const RUNS = Number(process.env['COLLOQUY_TEST_RUNS'] ?? 200);

/** Text that every engine can store, often of an awkward kind. */
function text(minLength: number, maxLength = 20): fc.Arbitrary<string> {
  const awkward = fc.constantFrom(
    '\u2028',
    '\u0085',
    '🐈',
    'é',
    '\uFEFF',
    '"',
    '\\',
    '\r\n',
    '\t',
    ' ',
    'a',
    "'",
    ':',
    '%3A',
  );
  const unit = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }), awkward);
  return fc
    .array(unit, { minLength, maxLength })
    .map((units) => units.join('').replaceAll('\0', '0').toWellFormed())
    .filter((made) => made.length >= minLength);
}

/** Keys: neither control characters nor white space at an end. */
const key = fc
  .oneof(fc.stringMatching(/^[a-z0-9:%/._-]{1,12}$/), text(1, 8))
  // eslint-disable-next-line no-control-regex -- they are what a key must not have
  .map((made) => made.replaceAll(/[\u0000-\u001F\u007F]/g, '-').trim())
  .filter((made) => made !== '');

const json = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
  .filter((value) => !JSON.stringify(value).includes('\\u0000'));

/** Not empty, because an empty one is not written; and without the key that is kept for imports. */
const metadata = fc
  .dictionary(text(1, 6), json, { minKeys: 1, maxKeys: 3 })
  .map((made) => JSON.parse(JSON.stringify({ ...made })) as Record<string, unknown>)
  .filter((made) => Object.keys(made).length > 0 && !('colloquyArchive' in made));

const instant = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2199-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** An instant as archives write it; it comes out as it went in, also the offset. */
const at = fc.oneof(
  instant,
  instant.map((made) => `${made.slice(0, 19)}Z`),
  instant.map((made) => `${made.slice(0, 19)}.5+09:00`),
);

/** Drops what is undefined: a line has a field or does not. */
function line<T extends object>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Record<string, unknown>> {
  return arbitrary.map((made) => JSON.parse(JSON.stringify(made)) as Record<string, unknown>);
}

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

function message(modality: 'text' | 'voice'): fc.Arbitrary<Record<string, unknown>> {
  return line(
    fc.record({
      role: fc.constantFrom('user', 'assistant', 'system', 'tool'),
      content: text(modality === 'voice' ? 0 : 1),
      at: maybe(at),
      startMs: maybe(fc.nat(1000)),
      endMs: maybe(fc.integer({ min: 1000, max: 100_000 })),
      parts: maybe(fc.array(json, { maxLength: 2 })),
      references: maybe(fc.array(json, { maxLength: 2 })),
      tokenCount: maybe(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
      metadata: maybe(metadata),
      modality: maybe(fc.constant('image')),
    }),
  ).map((made) => (made['content'] === '' ? without(made, 'modality') : made));
}

function without(made: Readonly<Record<string, unknown>>, field: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(made).filter(([name]) => name !== field));
}

const voiceSession = line(
  fc.record({
    status: fc.constantFrom('active', 'completed', 'failed', 'cancelled'),
    startTime: instant,
    durationSeconds: maybe(fc.double({ min: 0, max: 1e6, noNaN: true })),
    audioDurationSeconds: maybe(fc.double({ min: 0, max: 1e6, noNaN: true })),
    config: maybe(metadata),
    metadata: maybe(metadata),
  }),
);

const conversation = fc.constantFrom('text' as const, 'voice' as const).chain((modality) =>
  line(
    fc.record({
      // Its own source is what it writes for rows that were never imported; see the tests of those.
      source: key.filter((made) => made !== 'colloquy'),
      id: key,
      modality: fc.constant(modality),
      title: maybe(text(1)),
      lang: maybe(fc.constantFrom('en', 'ja', 'zh-Hans')),
      summary: maybe(text(1)),
      status: maybe(fc.constant('archived')),
      participants: maybe(
        fc
          .record({ user: maybe(key), assistant: maybe(text(1)) })
          .filter(({ user, assistant }) => user !== undefined || assistant !== undefined),
      ),
      metadata: maybe(metadata),
      messages: fc
        .array(message(modality), { minLength: modality === 'voice' ? 1 : 0, maxLength: 4 })
        // What has no voice message at all is no voice conversation when it comes out.
        .map(([first, ...others]) => (first ? [without(first, 'modality'), ...others] : [])),
      // An empty list keeps a voice conversation from getting a session of its own; a text conversation has none to keep off.
      voiceSessions: maybe(fc.array(voiceSession, { minLength: modality === 'voice' ? 0 : 1, maxLength: 2 })),
    }),
  ),
);

const document = line(
  fc.record({
    kind: fc.constant('document'),
    externalId: maybe(key),
    title: text(1),
    content: text(1),
    contentType: fc.constantFrom('text/plain', 'text/markdown'),
    source: key,
    status: maybe(fc.constantFrom('archived', 'deleted')),
    metadata: maybe(metadata),
  }),
);

/** A whole archive: keys are its own, and so are the voice sessions' ids. */
const archive = fc
  .tuple(
    fc.uniqueArray(conversation, { maxLength: 5, selector: (made) => JSON.stringify([made['source'], made['id']]) }),
    fc.uniqueArray(document, { maxLength: 3, selector: (made) => made['externalId'] ?? made['source'] }),
  )
  .map(([conversations, documents]) => {
    let calls = 0;
    const named = (session: unknown) => ({ externalId: `call-${String((calls += 1))}`, ...(session as object) });
    return [
      ...conversations.map((made) => {
        const sessions = made['voiceSessions'] as unknown[] | undefined;
        return { ...made, ...(sessions && { voiceSessions: sessions.map(named) }) };
      }),
      ...documents.map((made) => (made['externalId'] === made['source'] ? without(made, 'externalId') : made)),
    ];
  })
  .filter((lines) => lines.length > 0);

it('Any archive comes out line by line as it went in, and passes through again byte by byte', async () => {
  const { persistence } = await openManager();
  let tenants = 0;
  const passedThrough = async (content: string): Promise<string> => {
    tenants += 1;
    const { slug } = await persistence.tenants.ensure({ slug: `run-${String(tenants)}`, name: 'Run' });
    const rejections: ImportRejection[] = [];
    const options = {
      format: 'colloquy',
      onRejected: (rejection: ImportRejection) => rejections.push(rejection),
    } as const;
    await importArchives(persistence.tenant(slug), [archiveFile(content)], options);
    expect(rejections).toEqual([]);
    let written = '';
    await exportArchive(persistence.tenant(slug), async (exported) => void (written += exported));
    return written;
  };
  const property = fc.asyncProperty(archive, async (lines) => {
    const first = await passedThrough(jsonLines(...lines));
    const exported = first.split('\n').filter(Boolean);
    expect(exported.map((one) => JSON.parse(one) as unknown)).toEqual(lines);
    expect(await passedThrough(first)).toBe(first);
  });
  await fc.assert(property, { numRuns: RUNS });
});
