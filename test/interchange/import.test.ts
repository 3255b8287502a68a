import { rmSync, statSync, truncateSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ArchiveRejectedError, ArchiveUnreadableError } from '../../src/errors.js';
import { importArchives, type ImportRejection, type ImportReport } from '../../src/interchange/import-archives.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openManager } from '../support/open-manager.js';
import { rejectionOf } from '../support/rejection.js';
import { talk, turns } from '../support/invented-archive.js';
import { dumpTables } from '../support/table-dump.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { archiveFile, jsonLines } from './archive-files.js';

interface BadRecord {
  readonly what: string;
  /** The line as it stands in the file. */
  readonly line: string;
  readonly reason: RegExp;
}

function bad(what: string, value: object, reason: RegExp): BadRecord {
  return { what, line: JSON.stringify(value), reason };
}

function says(content: unknown, fields: object = {}): object {
  return talk('bad', { messages: [...turns(1), { role: 'assistant', content, ...fields }] });
}

const CALL = { externalId: 'call-1', status: 'completed', startTime: '2026-01-02T03:04:05.000Z' };

/** Stands before every bad record, and has the voice session and the key that some of them want for themselves. */
const FIRST = talk('first', { modality: 'voice', voiceSessions: [CALL] });
const LAST = talk('last');

const BAD_RECORDS: readonly BadRecord[] = [
  {
    what: 'a broken line',
    line: '{"source":"shop","id":"bad","messages":[{"role',
    reason: /^the record is not valid JSON$/,
  },
  bad(
    'an unknown role',
    says('hello', { role: 'robot' }),
    /^message 2 has role "robot"; known roles are user, assistant, system, tool$/,
  ),
  bad('a message without content', says(undefined), /^message 2 has no "content"$/),
  bad('an empty text message', says(''), /^message 2: content must not be empty/),
  bad('a lone surrogate', says('half of \uD83D'), /^message 2: content must be text .* without lone surrogates$/),
  bad('a NUL', says('a\0b'), /^message 2: content must be text .* without NUL/),
  bad('10 MB of content', says('x'.repeat(10_000_000)), /^message 2: content must be text of 0 to 1000000 characters/),
  bad('a key that came before', talk('first'), /^duplicate of line 1: conversation "shop" "first"$/),
  bad('a too long external id', talk('i'.repeat(251)), /^the conversation: externalId must be 1 to 255 characters/),
  bad('a too long title', talk('bad', { title: 't'.repeat(501) }), /^the conversation: title must be text of 1 to 500/),
  bad('a bad time', says('hello', { at: '2026-02-30T10:00:00Z' }), /^message 2: "at" is not a real time in ISO 8601/),
  bad('a time without an offset', says('hello', { at: '2026-02-03T10:00:00' }), /^message 2: "at" is not a real time/),
  bad(
    'the reserved metadata key',
    talk('bad', { metadata: { colloquyArchive: {} } }),
    /^its metadata has the key "colloquyArchive"/,
  ),
  bad(
    'the reserved metadata key in a message',
    says('hello', { metadata: { colloquyArchive: 1 } }),
    /^the metadata of message 2 has the key "colloquyArchive"/,
  ),
  bad(
    'a voice session that is taken',
    talk('bad', { modality: 'voice', voiceSessions: [CALL] }),
    /^its voice session belongs to another conversation already$/,
  ),
];

function fileWith(...lines: readonly string[]): string {
  return archiveFile([JSON.stringify(FIRST), ...lines, JSON.stringify(LAST), ''].join('\n'), 'talks.jsonl');
}

async function openShop() {
  const url = await freshUrl();
  const { persistence } = await openManager({ url });
  await persistence.tenants.ensure({ slug: 'shop', name: 'Shop' });
  const tenant = persistence.tenant('shop');
  const rejections: ImportRejection[] = [];
  const load = (files: readonly string[], options: { strict?: boolean } = {}): Promise<ImportReport> =>
    importArchives(tenant, files, { ...options, onRejected: (rejection) => rejections.push(rejection) });
  return { url, tenant, rejections, load };
}

function column(rows: readonly Readonly<Record<string, unknown>>[] | undefined, name: string): string[] {
  return (rows ?? []).map((row) => String(row[name])).toSorted();
}

describe.each(BAD_RECORDS)('$what', ({ line, reason }) => {
  it('is named with file and line, is left out whole, and the rest goes in', async () => {
    const { url, load, rejections } = await openShop();
    const file = fileWith(line);
    const { total } = await load([file]);
    expect(rejections).toEqual([{ file, line: 2, reason: expect.stringMatching(reason) as string }]);
    expect(total).toMatchObject({
      conversations: { added: 2, present: 0 },
      messages: 4,
      voiceSessions: 1,
      rejected: 1,
    });
    const tables = await dumpTables(url);
    expect(column(tables['conversations'], 'external_id')).toEqual(['shop:first', 'shop:last']);
    expect(column(tables['messages'], 'content')).toEqual(['first 1', 'first 2', 'last 1', 'last 2']);
    expect(column(tables['voice_sessions'], 'external_id')).toEqual(['call-1']);
    expect(column(tables['users'], 'external_id')).toEqual(['shop:']);
  });

  it('stops a strict import, which leaves every table as it was', async () => {
    const { url, load } = await openShop();
    const before = await dumpTables(url);
    const file = fileWith(line);
    const error = await rejectionOf(load([file], { strict: true }), ArchiveRejectedError);
    expect(error).toMatchObject({ file, line: 2, reason: expect.stringMatching(reason) as string });
    expect(await dumpTables(url)).toEqual(before);
    rmSync(file);
    expect((await load([fileWith()], { strict: true })).total).toMatchObject({ conversations: { added: 2 } });
  });
});

describe('several bad records', () => {
  it('are each named, and counted by file and together', async () => {
    const { load, rejections } = await openShop();
    const [one, two] = [fileWith(...BAD_RECORDS.map(({ line }) => line)), archiveFile(jsonLines(talk('other'), {}))];
    const { files, total } = await load([one, two]);
    const named = rejections.filter(({ file }) => file === one).map(({ line }) => line);
    expect(named.toSorted((a, b) => a - b)).toEqual(BAD_RECORDS.map((_bad, index) => index + 2));
    expect(rejections.filter(({ file }) => file === two)).toMatchObject([{ line: 2 }]);
    expect(files.map(({ counts }) => counts.rejected)).toEqual([BAD_RECORDS.length, 1]);
    expect(total).toMatchObject({ conversations: { added: 3 }, rejected: BAD_RECORDS.length + 1 });
  });

  it('leave no user behind whom only they name', async () => {
    const { url, load } = await openShop();
    const stranger = talk('bad', { participants: { user: 'stranger' }, title: 't'.repeat(501) });
    const { total } = await load([fileWith(JSON.stringify(stranger))]);
    expect(column((await dumpTables(url))['users'], 'external_id')).toEqual(['shop:']);
    expect(total.users).toBe(1);
  });

  it('do not take voice sessions from the good ones', async () => {
    const { url, load } = await openShop();
    const call = { ...CALL, externalId: 'call-2' };
    const greedy = talk('bad', { modality: 'voice', voiceSessions: [call, { ...CALL, durationSeconds: 1 }] });
    const honest = talk('good', { modality: 'voice', voiceSessions: [call] });
    await load([fileWith(JSON.stringify(greedy), JSON.stringify(honest))]);
    expect(column((await dumpTables(url))['conversations'], 'external_id')).toEqual([
      'shop:first',
      'shop:good',
      'shop:last',
    ]);
  });

  it('include one whose voice session an earlier import has taken', async () => {
    const { load, rejections } = await openShop();
    await load([fileWith()]);
    await load([archiveFile(jsonLines(talk('bad', { modality: 'voice', voiceSessions: [CALL] })))]);
    expect(rejections).toMatchObject([
      { line: 1, reason: 'its voice session belongs to another conversation already' },
    ]);
  });
});

function truncatedArchive(): string {
  const path = archiveFile(gzipSync(jsonLines(...Array.from({ length: 300 }, (_unused, i) => talk(`t-${String(i)}`)))));
  truncateSync(path, statSync(path).size - 20);
  return path;
}

describe('a file that cannot be read', () => {
  it.each([
    ['missing', () => `${temporaryFolder()}/nothing.jsonl`, /no such file/],
    ['a directory', temporaryFolder, /a directory/],
    ['empty', () => archiveFile(''), /it is empty/],
    ['truncated gzip', truncatedArchive, /cut off/],
    ['of no known format', () => archiveFile('{"neither":"nor"}\n'), /format is not known/],
  ])('because it is %s keeps the other files out too', async (_what, make, reason) => {
    const { url, load } = await openShop();
    const before = await dumpTables(url);
    const [good, unreadable] = [fileWith(), make()];
    for (const files of [
      [good, unreadable],
      [unreadable, good],
    ]) {
      const error = await rejectionOf(load(files), ArchiveUnreadableError);
      expect(error).toMatchObject({ file: unreadable, reason: expect.stringMatching(reason) as string });
    }
    expect(await dumpTables(url)).toEqual(before);
  });
});
