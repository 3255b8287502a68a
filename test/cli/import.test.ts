import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importArchives, type ImportRejection, type ImportReport } from '../../src/interchange/import-archives.js';
import { archiveFile, jsonLines } from '../interchange/archive-files.js';
import { colloquy, colloquyInTurn, commandLine, startColloquy, startProgram } from '../support/command-line.js';
import { inventConversations, lengthsOf, talk } from '../support/invented-archive.js';
import { openManager } from '../support/open-manager.js';
import { openRaw } from '../support/raw-database.js';
import { dumpTables, fileOf, halfConversations, storedConversations } from '../support/table-dump.js';
import { temporaryFolder, temporaryUrl } from '../support/temporary-folder.js';

const PAGE = { title: 'Returns', content: 'Within 30 days.', source: 'help:returns' };
const CALL = talk('call', { modality: 'voice' });
const TOO_LONG = talk('bad', { title: 't'.repeat(501) });

type Printed = ImportReport & { readonly tenant: string; readonly rejections: readonly ImportRejection[] };

function good(): string {
  return archiveFile(jsonLines(talk('1'), CALL), 'talks.jsonl');
}

function bad(): string {
  return archiveFile(`${JSON.stringify(talk('1'))}\n{broken\n${jsonLines(TOO_LONG, talk('2'))}`, 'bad.jsonl');
}

describe('colloquy import', () => {
  it('sums up in plain lines, file by file and together', async () => {
    const [url, talks, pages] = [temporaryUrl(), good(), archiveFile(jsonLines(PAGE), 'pages.jsonl')];
    const [first, again] = await colloquyInTurn(
      [
        ['import', talks, pages, '--tenant', 'shop'],
        ['import', talks, '--tenant', 'shop'],
      ],
      { url },
    );
    expect(first).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        `${talks} (colloquy): 2 conversations with 4 messages and 1 voice session added`,
        `${pages} (documents): 1 document added`,
        'Together: 2 conversations with 4 messages and 1 voice session and 1 document added',
        '',
      ].join('\n'),
    });
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again?.stdout).toBe(`${talks} (colloquy): 0 conversations with 0 messages added, 2 there already\n`);
  });

  it('names each bad record on standard error, takes the rest, and ends with exit code 1', async () => {
    const [url, file] = [temporaryUrl(), bad()];
    const { code, stdout, stderr } = await colloquy(['import', file, '--tenant', 'shop'], { url });
    expect(code).toBe(1);
    expect(stdout).toBe(`${file} (colloquy): 2 conversations with 4 messages added, 2 left out\n`);
    const [broken, tooLong, ...others] = stderr.split('\n');
    expect(broken).toBe(`${file}:2: left out: the record is not valid JSON`);
    expect(tooLong).toMatch(`${file}:3: left out: the conversation: title must be text of 1 to 500`);
    expect(others).toEqual(['']);
    expect((await storedConversations(url)).map(({ externalId }) => externalId)).toEqual(['shop:1', 'shop:2']);
  });

  it('with --json prints one JSON value, which names them too', async () => {
    const [url, file] = [temporaryUrl(), bad()];
    const { code, stdout } = await colloquy(['import', file, '--tenant', 'shop', '--json'], { url });
    const printed = JSON.parse(stdout) as Printed;
    expect(code).toBe(1);
    expect(printed).toMatchObject({
      tenant: 'shop',
      total: { conversations: { added: 2, present: 0 }, messages: 4, users: 1, rejected: 2 },
      files: [{ file, format: 'colloquy', counts: { rejected: 2 } }],
    });
    expect(printed.rejections.map(({ line }) => line)).toEqual([2, 3]);
  });

  it('reads a file as the format that --format names', async () => {
    const file = archiveFile(jsonLines(talk('1')));
    const { code, stdout } = await colloquy(['import', file, '--tenant', 'shop', '--format', 'openai', '--json'], {
      url: temporaryUrl(),
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      files: [{ format: 'openai', counts: { conversations: { added: 1 } } }],
    });
  });

  it('--strict stops at the first bad record with exit code 1, and leaves the database as it was', async () => {
    const [url, file] = [temporaryUrl(), bad()];
    const { persistence } = await openManager({ url });
    await persistence.tenants.ensure({ slug: 'other', name: 'Other' });
    await importArchives(persistence.tenant('other'), [good()]);
    const before = await dumpTables(url);
    const strict = await colloquy(['import', file, '--tenant', 'shop', '--strict', '--json'], { url });
    expect(strict.code).toBe(1);
    expect(JSON.parse(strict.stdout)).toMatchObject({ error: { code: 'ARCHIVE_REJECTED', file, line: 2 } });
    expect(strict.stderr).toContain(
      `${file}:2: the record is not valid JSON. The import was strict: nothing was written.`,
    );
    expect(await dumpTables(url)).toEqual(before);
  });

  it('--strict takes a good archive, tenant and all', async () => {
    const url = temporaryUrl();
    const { code, stdout } = await colloquy(['import', good(), '--tenant', 'shop', '--strict', '--json'], { url });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ total: { conversations: { added: 2 }, rejected: 0 } });
    expect(await dumpTables(url)).toMatchObject({ tenants: [{ slug: 'shop' }], messages: [{}, {}, {}, {}] });
  });

  it('of a file that cannot be read ends with exit code 3 and makes no database', async () => {
    const cwd = temporaryFolder();
    const [missing, folder] = [join(cwd, 'nothing.jsonl'), temporaryFolder()];
    const [first, second] = await colloquyInTurn(
      [
        ['import', good(), missing, '--tenant', 'shop'],
        ['import', folder, good(), '--tenant', 'shop', '--json'],
      ],
      { cwd },
    );
    expect(first).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining(missing) as string });
    expect(first?.stderr).toMatch(/there is no such file/);
    expect(second?.code).toBe(3);
    expect(JSON.parse(second?.stdout ?? '')).toMatchObject({ error: { code: 'ARCHIVE_UNREADABLE', file: folder } });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('refuses a tenant whose name cannot be with exit code 2', async () => {
    const url = temporaryUrl();
    const { code, stderr } = await colloquy(['import', good(), '--tenant', 'Not A Slug'], { url });
    expect(code).toBe(2);
    expect(stderr).toMatch(/slug must be 1 to 63 lower-case letters/);
    expect(await dumpTables(url)).toMatchObject({ tenants: [], conversations: [] });
  });
});

describe('an import that is interrupted', () => {
  it('ends with exit code 130 and whole conversations, and the next one completes it', async () => {
    const url = temporaryUrl();
    const conversations = inventConversations(1500);
    // It is named right after the first batch was committed.
    const file = archiveFile(jsonLines(TOO_LONG, ...conversations));
    const { persistence } = await openManager({ url });
    await persistence.close();
    const raw = openRaw(url);
    const running = startColloquy(['import', file, '--tenant', 'shop'], { url });
    await running.says('left out');
    // Whatever batch comes next waits for this lock, so the import cannot end before the signal has reached it.
    raw.exec('begin immediate');
    running.process.kill('SIGINT');
    raw.exec('rollback');
    const { code, stdout, stderr } = await running.finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(/Interrupted\. What was committed before stays/);
    const kept = (await storedConversations(url)).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(1500);
    expect(await halfConversations(url, lengthsOf(conversations))).toEqual([]);

    const next = await openManager({ url });
    const { total } = await importArchives(next.persistence.tenant('shop'), [file]);
    expect(total.conversations).toEqual({ added: 1500 - kept, present: kept });
    expect(await halfConversations(url, lengthsOf(conversations))).toEqual([]);
  });
});

const SCRIPT = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
if (SCRIPT === undefined)
  console.warn('Skipped: the progress bar needs a pseudo terminal, and there is no "script" here.');

describe.skipIf(SCRIPT === undefined)('on a terminal', () => {
  it('an import shows a bar, and takes it away at the end', async () => {
    const [url, file] = [temporaryUrl(), archiveFile(jsonLines(...inventConversations(300)))];
    const command = [...commandLine(), 'import', file, '--tenant', 'shop'].join(' ');
    const { code, stdout } = await startProgram([SCRIPT ?? '', '-qec', command, '/dev/null'], { url }).finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(/importing █*░* \d+% \| [\d,]+ messages/);
    expect(stdout).toContain('\u001B[');
    expect(stdout.trimEnd().split('\n').at(-1)).toContain('300 conversations with ');
    expect(existsSync(fileOf(url))).toBe(true);
  });
});
