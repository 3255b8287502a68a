import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ARCHIVE_FORMATS, type ArchiveFormat } from '../../src/interchange/archive.js';
import { detectFormat } from '../../src/interchange/detect-format.js';
import { readArchive } from '../../src/interchange/read-archive.js';
import { archiveFile, collect, jsonLines, readAll, readText } from './archive-files.js';

const SAMPLES: Record<ArchiveFormat, object> = {
  colloquy: { source: 'star', id: '1', messages: [] },
  sharegpt: { id: '1', conversations: [] },
  openai: { id: '1', messages: [] },
  chatgpt: { id: '1', mapping: {} },
  documents: { title: 'Guide', content: 'Read me', source: 'docs:guide' },
};
const BROKEN = '{"source":"star","id":"1","messages":[{"role":"us';

function conversation(id: string, content = 'hello'): object {
  return { source: 's', id, messages: [{ role: 'user', content }] };
}

describe.each(ARCHIVE_FORMATS)('the format %s', (format) => {
  const sample = SAMPLES[format];

  it.each([
    ['lines', jsonLines(sample)],
    ['lines after a broken one', `${BROKEN}\n\n${jsonLines(sample)}`],
    ['an array', JSON.stringify([sample])],
    ['an array on several lines', JSON.stringify(['oops', sample], null, 2)],
    ['one object on several lines', JSON.stringify(sample, null, 2)],
    ['one object on several lines that begin late', JSON.stringify(sample, null, 2).replace('{\n', '{')],
    ['compressed lines', gzipSync(jsonLines(sample))],
    ['an array after a byte order mark', `\u{feff}${JSON.stringify([sample])}`],
  ])('is found out from %s', async (_layout, content) => {
    expect(await detectFormat(archiveFile(content))).toBe(format);
  });

  it('is read the same from every layout', async () => {
    const layouts = [jsonLines(sample), JSON.stringify([sample]), JSON.stringify(sample, null, 2)];
    const [lines, array, object] = await Promise.all(layouts.map((text) => readText(text, { format })));
    expect(lines).toMatchObject([{ line: 1, record: {} }]);
    expect(array).toEqual(lines);
    expect(object).toEqual(lines);
  });
});

describe('finding out the format', () => {
  it('sees that a Colloquy file whose first conversation lost its identifier is still one', async () => {
    const lost = { source: 'star', messages: [] };
    expect(await detectFormat(archiveFile(jsonLines(lost, SAMPLES.colloquy)))).toBe('colloquy');
  });

  it('says which formats there are, and how to force one, if it cannot tell', async () => {
    const file = archiveFile(`${BROKEN}\n{"a":1}\n`);
    await expect(detectFormat(file)).rejects.toMatchObject({
      code: 'ARCHIVE_UNREADABLE',
      file,
      reason:
        'its format is not known from its first records (line 1: the record is not valid JSON); ' +
        'known formats are colloquy, sharegpt, openai, chatgpt, documents, and --format can force one',
    });
  });

  it('gives up after a hundred records', async () => {
    const late = archiveFile(`${'{}\n'.repeat(100)}${jsonLines(SAMPLES.colloquy)}`);
    await expect(detectFormat(late)).rejects.toThrow('line 1: the record has the fields of no known format');
  });

  it.each(['\n \n', '[]'])('refuses a file without records: %j', async (text) => {
    await expect(detectFormat(archiveFile(text))).rejects.toMatchObject({ reason: 'it holds no records' });
  });
});

describe('reading an archive', () => {
  it('reports broken lines with their numbers and reads on', async () => {
    const text = Buffer.concat([
      Buffer.from(`${jsonLines(conversation('1'))}{"secret": oops}\r\n\r\n`),
      Buffer.from('{"source":"\xff"}\n', 'latin1'),
      Buffer.from(`${'['.repeat(300)}${']'.repeat(300)}\n${'['.repeat(1e6)}\n[]\n${JSON.stringify(conversation('2'))}`),
    ]);
    expect(await readText(text)).toMatchObject([
      { line: 1, record: { id: '1' } },
      { line: 2, reason: 'the record is not valid JSON' },
      { line: 4, reason: 'the record is not valid UTF-8' },
      { line: 5, reason: 'the record is nested more than 256 levels deep' },
      { line: 6, reason: 'the record is not valid JSON' },
      { line: 7, reason: 'the record is not an object' },
      { line: 8, record: { id: '2' } },
    ]);
  });

  it('reports broken elements with their lines and reads on', async () => {
    const text = `[\n${JSON.stringify(conversation('1'))},\n{"secret": oops},\n${JSON.stringify(conversation('2'))}\n`;
    expect(await readText(text)).toMatchObject([
      { line: 2, record: { id: '1' } },
      { line: 3, reason: 'the record is not valid JSON' },
      { line: 4, record: { id: '2' } },
      { line: 5, reason: 'the file ends before the closing bracket of its array' },
    ]);
  });

  it('takes files that were joined with their byte order marks', async () => {
    const text = `\u{feff}${jsonLines(conversation('1'))}\u{feff}${jsonLines(conversation('2'))}`;
    expect(await readText(text)).toMatchObject([{ record: { id: '1' } }, { record: { id: '2' } }]);
  });

  it('keeps the text of messages exactly', async () => {
    const content = '\u{feff}a\u2028b\u2029c\u0085d\r\n\t\u0000é😀\ud800 ';
    for (const text of [jsonLines(conversation('1', content)), JSON.stringify([conversation('1', content)])]) {
      expect(await readText(text.replaceAll('\\u2028', '\u2028'))).toMatchObject([
        { record: { messages: [{ content }] } },
      ]);
    }
  });

  it('rejects a key that came before in the file', async () => {
    const document = { kind: 'document', title: 't', content: 'c', source: 'd' };
    const text = jsonLines(
      conversation('1'),
      { ...conversation('1'), source: 'other' },
      document,
      conversation('1', 'again'),
      { ...document, externalId: 'e' },
      { ...document, source: 'x', externalId: 'd' },
      conversation('\u0000'),
    );
    const entries = await readText(text);
    expect(entries.flatMap((entry) => ('reason' in entry ? [entry] : []))).toEqual([
      { line: 4, reason: 'duplicate of line 1: conversation "s" "1"' },
      { line: 6, reason: 'duplicate of line 3: document "d"' },
    ]);
  });

  it('takes the forced format, and reports what is not of it', async () => {
    const entries = await readText(jsonLines(SAMPLES.colloquy, SAMPLES.documents), { format: 'openai' });
    expect(entries).toMatchObject([{ record: { source: 'openai' } }, { reason: 'the conversation has no "messages"' }]);
  });

  it('stops between records with the reason of the signal', async () => {
    const abort = new AbortController();
    const file = archiveFile(jsonLines(conversation('1'), conversation('2')));
    const entries = readArchive(file, { signal: abort.signal });
    await entries.next();
    abort.abort('enough');
    await expect(entries.next()).rejects.toBe('enough');
  });

  it.skipIf(process.platform !== 'linux')('closes the file when it is left early (Linux only)', async () => {
    const file = archiveFile(gzipSync(jsonLines(conversation('1'), conversation('2'))));
    for await (const entry of readArchive(file)) {
      expect(entry.line).toBe(1);
      break;
    }
    const targets = readdirSync('/proc/self/fd').map((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        return undefined;
      }
    });
    expect(targets).not.toContain(file);
  });

  it('reads no further than its records are taken', async () => {
    const text = jsonLines(
      ...Array.from({ length: 200 }, (_, id) => conversation(`${id}`, randomBytes(50_000).toString('hex'))),
    );
    for (const content of [Buffer.from(text), gzipSync(text)]) {
      let bytesRead = 0;
      const options = { onProgress: (bytes: number) => (bytesRead = bytes) };
      const entries = readArchive(archiveFile(content), options);
      await entries.next();
      await setImmediate();
      expect(bytesRead).toBeLessThan(content.length / 4);
      expect(await collect(entries)).toHaveLength(199);
      expect(bytesRead).toBe(content.length);
    }
  });

  it('passes on a file that is damaged further down', async () => {
    const content = gzipSync(
      jsonLines(...Array.from({ length: 200 }, (_, id) => conversation(`${id}`, `${id}`.repeat(9)))),
    );
    const file = archiveFile(content.subarray(0, -4));
    await expect(readAll(file, { format: 'colloquy' })).rejects.toMatchObject({
      code: 'ARCHIVE_UNREADABLE',
      reason: 'its gzip data is cut off',
    });
  });
});
