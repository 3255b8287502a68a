import { chmodSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openArchive, verifyArchive } from '../../src/interchange/archive-file.js';
import { archiveFile, collect, temporaryFolder } from './archive-files.js';

const TEXT = 'a line of text\n'.repeat(50_000);

async function contentOf(path: string): Promise<string> {
  return Buffer.concat(await collect(openArchive(path))).toString();
}

function openFilesIn(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return [];
    }
  });
}

describe('an archive file', () => {
  it('is read as it is', async () => {
    expect(await contentOf(archiveFile(TEXT))).toBe(TEXT);
  });

  it('is decompressed when it begins like gzip, whatever its name', async () => {
    expect(await contentOf(archiveFile(gzipSync(TEXT), 'archive.jsonl'))).toBe(TEXT);
  });

  it('is not decompressed because of its name', async () => {
    expect(await contentOf(archiveFile(TEXT, 'archive.jsonl.gz'))).toBe(TEXT);
  });

  it('may have several gzip members', async () => {
    const members = Buffer.concat([gzipSync(TEXT), gzipSync('and more')]);
    expect(await contentOf(archiveFile(members))).toBe(`${TEXT}and more`);
  });

  it.each([
    ['plain', Buffer.from('\u{feff}first')],
    ['compressed', gzipSync('\u{feff}first')],
  ])('loses a byte order mark (%s)', async (_kind, content) => {
    expect(await contentOf(archiveFile(content))).toBe('first');
  });

  it.each(['', 'é', '{}', 'ab'])('keeps a beginning of a few bytes: %j', async (text) => {
    expect(await contentOf(archiveFile(`${text}\n`))).toBe(`${text}\n`);
  });

  it.each([
    ['plain', Buffer.from(TEXT)],
    ['compressed', gzipSync(TEXT)],
  ])('tells how many of its bytes were read (%s)', async (_kind, content) => {
    const seen: number[] = [];
    const chunks = openArchive(archiveFile(content), { onProgress: (bytes) => seen.push(bytes) });
    for await (const chunk of chunks) expect(chunk.length).toBeGreaterThan(0);
    expect(seen.at(-1)).toBe(content.length);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it.each([
    ['plain', Buffer.from(TEXT)],
    ['compressed', gzipSync(TEXT)],
  ])('stops with the reason of the signal (%s)', async (_kind, content) => {
    const abort = new AbortController();
    const chunks = openArchive(archiveFile(content), { signal: abort.signal, onProgress: () => abort.abort('enough') });
    await expect(collect(chunks)).rejects.toBe('enough');
  });

  it.skipIf(process.platform !== 'linux').each([
    ['plain', Buffer.from(TEXT)],
    ['compressed', gzipSync(TEXT)],
  ])('is closed when its reader leaves early (%s; open files are counted on Linux only)', async (_kind, content) => {
    const folder = temporaryFolder();
    const path = join(folder, 'archive');
    writeFileSync(path, content);
    const chunks = openArchive(path);
    await chunks.next();
    expect(openFilesIn(folder)).toEqual([path]);
    await chunks.return();
    expect(openFilesIn(folder)).toEqual([]);
  });
});

describe('verifying an archive', () => {
  const compressed = gzipSync(TEXT);

  it.each([
    ['plain', Buffer.from('{}')],
    ['compressed', compressed],
  ])('passes a whole file (%s)', async (_kind, content) => {
    await expect(verifyArchive(archiveFile(content))).resolves.toBeUndefined();
  });

  it.each([
    ['is empty', Buffer.alloc(0), 'it is empty'],
    ['is empty inside', gzipSync(''), 'it is empty'],
    ['is cut off', compressed.subarray(0, -1), 'its gzip data is cut off'],
    ['is cut off in its header', compressed.subarray(0, 5), 'its gzip data is cut off'],
    [
      'is cut off in its second member',
      Buffer.concat([compressed, compressed.subarray(0, 1)]),
      'its gzip data is cut off',
    ],
    ['has a wrong checksum', compressed.with(compressed.length - 6, 0), 'its gzip data is damaged'],
    ['goes on with something else', Buffer.concat([compressed, Buffer.from('more')]), 'its gzip data is damaged'],
    [
      'goes on after zeros',
      Buffer.concat([compressed, Buffer.alloc(4), compressed]),
      `its gzip data ends at byte ${compressed.length} of ${compressed.length * 2 + 4}`,
    ],
  ])('refuses a file that %s', async (_problem, content, reason) => {
    const file = archiveFile(Buffer.from(content));
    await expect(verifyArchive(file)).rejects.toMatchObject({ code: 'ARCHIVE_UNREADABLE', file, reason });
  });

  it('refuses what is not a file', async () => {
    const folder = temporaryFolder();
    const missing = join(folder, 'missing');
    const below = join(archiveFile('{}'), 'below');
    await expect(verifyArchive(missing)).rejects.toMatchObject({ file: missing, reason: 'there is no such file' });
    await expect(verifyArchive(below)).rejects.toMatchObject({ file: below, reason: 'there is no such file' });
    await expect(verifyArchive(folder)).rejects.toMatchObject({ reason: 'it is a directory, not a file' });
    await expect(verifyArchive('/dev/null')).rejects.toMatchObject({ reason: 'it is not a regular file' });
  });

  it('refuses a file that may not be read', async () => {
    const file = archiveFile('{}');
    chmodSync(file, 0o000);
    if (process.getuid?.() === 0) {
      // Permissions do not stop the superuser.
      chmodSync(join(file, '..'), 0o755);
      process.seteuid?.(65_534);
      onTestFinished(() => process.seteuid?.(0));
    }
    await expect(verifyArchive(file)).rejects.toMatchObject({ reason: 'its permissions do not allow reading it' });
  });

  it('keeps the native error as the cause', async () => {
    const error: unknown = await verifyArchive('/no/such/file').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ cause: { code: 'ENOENT' } });
  });
});
