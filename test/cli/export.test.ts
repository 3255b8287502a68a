import { existsSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { importArchives } from '../../src/interchange/import-archives.js';
import { archiveFile, jsonLines } from '../interchange/archive-files.js';
import { freshUrl } from '../support/engine-under-test.js';
import { CHECKOUT } from '../support/child.js';
import { colloquy, colloquyInTurn, commandLine, startColloquy, startProgram } from '../support/command-line.js';
import { type ConversationLine, inventConversations, talk } from '../support/invented-archive.js';
import { openManager } from '../support/open-manager.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PAGE = {
  kind: 'document',
  title: 'Returns',
  content: 'Within 30 days.',
  contentType: 'text/plain',
  source: 'help:returns',
};

async function shopWith(lines: readonly (ConversationLine | typeof PAGE)[]): Promise<string> {
  const url = await freshUrl();
  const { persistence } = await openManager({ url });
  await persistence.tenants.ensure({ slug: 'shop', name: 'Shop' });
  await importArchives(persistence.tenant('shop'), [archiveFile(jsonLines(...lines))]);
  await persistence.close();
  return url;
}

/** Waits until the export writes beside its file, and then does something to it. */
async function whileWriting(file: string, url: string, signal: NodeJS.Signals) {
  const watcher = watch(dirname(file));
  const running = startColloquy(['export', '--tenant', 'shop', '--out', file], { url });
  await once(watcher, 'change');
  running.process.kill(signal);
  watcher.close();
  return running.finished;
}

describe('colloquy export', () => {
  it('writes the archive to standard output, and what it did to standard error', async () => {
    const lines = [talk('1'), talk('2', { title: 'Kettle' }), PAGE];
    const url = await shopWith(lines);
    const { code, stdout, stderr } = await colloquy(['export', '--tenant', 'shop'], { url });
    expect(code).toBe(0);
    expect(stderr).toBe('2 conversations with 4 messages and 1 document exported.\n');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(lines);
  });

  it('writes a file, compressed if its name says so, and nothing beside it', async () => {
    const url = await shopWith([talk('1'), PAGE]);
    const folder = temporaryFolder();
    const [plain, compressed] = [join(folder, 'out.jsonl'), join(folder, 'out.jsonl.gz')];
    const [toStdout, toPlain, toCompressed] = await colloquyInTurn(
      [[], ['--out', plain], ['--out', compressed]].map((more) => ['export', '--tenant', 'shop', ...more]),
      { url },
    );
    expect(toPlain).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining(`exported to ${plain}`) as string,
    });
    expect(toCompressed).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(plain, 'utf8')).toBe(toStdout?.stdout);
    expect(gunzipSync(readFileSync(compressed)).toString()).toBe(toStdout?.stdout);
    expect(readdirSync(folder).toSorted()).toEqual(['out.jsonl', 'out.jsonl.gz']);
  });

  it('that is killed leaves no file of that name, and an older one as it was', async () => {
    const url = await shopWith(inventConversations(1500));
    const file = join(temporaryFolder(), 'out.jsonl.gz');
    expect(await whileWriting(file, url, 'SIGKILL')).toMatchObject({ signal: 'SIGKILL', stderr: '' });
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, 'older');
    expect(await whileWriting(file, url, 'SIGKILL')).toMatchObject({ signal: 'SIGKILL', stderr: '' });
    expect(readFileSync(file, 'utf8')).toBe('older');
  });

  it('that is interrupted ends with exit code 130 and leaves nothing', async () => {
    const url = await shopWith(inventConversations(1500));
    const folder = temporaryFolder();
    const { code, stdout } = await whileWriting(join(folder, 'out.jsonl.gz'), url, 'SIGINT');
    expect({ code, stdout, files: readdirSync(folder) }).toEqual({ code: 130, stdout: '', files: [] });
  });

  it('ends quietly when its reader has had enough', async () => {
    const url = await shopWith(inventConversations(1500));
    const command = [...commandLine(), 'export', '--tenant', 'shop'].join(' ');
    const shell = ['bash', '-c', `set -o pipefail; ${command} | head -1`];
    const { code, stdout, stderr } = await startProgram(shell, { url }).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ source: 'shop', id: 'talk-0' });
  });

  it('of a tenant that does not exist ends with exit code 3 and makes no file', async () => {
    const [url, file] = [await shopWith([PAGE]), join(temporaryFolder(), 'out.jsonl')];
    const { code, stdout, stderr } = await colloquy(['export', '--tenant', 'nobody', '--out', file], { url });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^colloquy: There is no tenant "nobody"/);
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it('to where it cannot write ends with exit code 3 and a message, not a stack', async () => {
    const url = await shopWith([talk('1')]);
    const file = join(temporaryFolder(), 'missing', 'out.jsonl');
    const { code, stdout, stderr } = await colloquy(['export', '--tenant', 'shop', '--out', file], { url });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^colloquy: /);
    expect(stderr).toContain(file);
    expect(stderr).not.toContain(CHECKOUT);
  });
});

describe('colloquy stats', () => {
  it('counts the rows of the database, and those of one tenant', async () => {
    const url = await shopWith([talk('1', { modality: 'voice' }), talk('2'), PAGE]);
    const { persistence } = await openManager({ url, seed: 2 });
    await persistence.tenants.ensure({ slug: 'other', name: 'Other' });
    await importArchives(persistence.tenant('other'), [archiveFile(jsonLines(talk('1')))]);
    const [all, one, json, nobody] = await colloquyInTurn(
      [
        ['stats'],
        ['stats', '--tenant', 'shop', '--json'],
        ['stats', '--json'],
        ['stats', '--tenant', 'nobody', '--json'],
      ],
      { url },
    );
    const rows = {
      tenants: 1,
      users: 1,
      api_keys: 0,
      conversations: 2,
      messages: 4,
      documents: 1,
      voice_sessions: 1,
      usage_records: 0,
      tasks: 0,
      idempotency_keys: 0,
    };
    const total = { ...rows, tenants: 2, users: 2, conversations: 3, messages: 6 };
    expect(JSON.parse(one?.stdout ?? '')).toMatchObject({ tenant: 'shop', rows });
    expect(JSON.parse(json?.stdout ?? '')).toMatchObject({ rows: total });
    expect(all?.stdout.match(/^ {2}(\w+(?: \w+)?) +\d+$/gm)?.map((line) => line.trim().split(/ {2,}/))).toEqual(
      Object.entries(total).map(([name, number]) => [name.replace('_', ' '), String(number)]),
    );
    expect(nobody?.code).toBe(3);
    expect(JSON.parse(nobody?.stdout ?? '')).toMatchObject({ error: { code: 'NOT_FOUND', entity: 'tenant' } });
  });
});
