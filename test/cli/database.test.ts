import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archiveFile, jsonLines } from '../interchange/archive-files.js';
import { CHECKOUT } from '../support/child.js';
import { colloquy, colloquyInTurn, startProgram } from '../support/command-line.js';
import { talk } from '../support/invented-archive.js';
import { openManager } from '../support/open-manager.js';
import { openRaw } from '../support/raw-database.js';
import { dumpTables, fileOf } from '../support/table-dump.js';
import { temporaryFile, temporaryFolder, temporaryUrl } from '../support/temporary-folder.js';

const SECRET = 'hunter2';

async function migrated(): Promise<string> {
  const url = temporaryUrl();
  const { persistence } = await openManager({ url });
  await persistence.close();
  return url;
}

describe('DATABASE_URL', () => {
  it('that cannot be ends with exit code 2 and says why, and a password in it is not shown', async () => {
    const cwd = temporaryFolder();
    const urls = [
      [`oracle://ann:${SECRET}@db.example/app`, /unknown scheme oracle:; known are sqlite:/],
      [`//ann:${SECRET}@db.example/app`, /begins with no scheme/],
      [`sqlite://ann:${SECRET}@db.example/app`, /names a host; SQLite is a file/],
      [`sqlite:./app.sqlite?password=${SECRET}`, /unknown parameter password/],
      [`sqlite:./app.sqlite?busyTimeout=${SECRET}`, /busyTimeout .* must be whole milliseconds/],
      [`sqlite:./app.sqlite?durable=${SECRET}`, /durable .* must be true or false/],
      ['sqlite:', /names no file/],
    ] as const;
    const commands = [['stats'], ['stats', '--json'], ['migrate', 'status']];
    const commandLines = urls.flatMap(([url]) => commands.map((command) => [`DATABASE_URL=${url}`, ...command]));
    const results = await colloquyInTurn(commandLines, { cwd });
    for (const [index, [url, says]] of urls.entries()) {
      const [text, json, migrate] = results.slice(index * commands.length);
      expect
        .soft({ url, ...text })
        .toMatchObject({ url, code: 2, stdout: '', stderr: expect.stringMatching(says) as string });
      expect.soft(json?.code).toBe(2);
      expect.soft(JSON.parse(json?.stdout ?? '')).toMatchObject({ error: { code: 'CONFIGURATION_INVALID' } });
      expect.soft(migrate?.code).toBe(2);
    }
    expect(JSON.stringify(results)).not.toContain(SECRET);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('that is not set means a file in the working directory', async () => {
    const cwd = temporaryFolder();
    const { code, stdout } = await colloquy(['stats'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain(`Database: SQLite ${join(cwd, 'colloquy.sqlite')}, `);
    expect(readdirSync(cwd)).toContain('colloquy.sqlite');
  });
});

describe('a database that cannot be used', () => {
  it('because another process holds it ends with exit code 3, and is only read meanwhile', async () => {
    const url = `${await migrated()}?busyTimeout=200`;
    const file = archiveFile(jsonLines(talk('1')));
    openRaw(`sqlite:${fileOf(url)}`).exec('begin exclusive');
    const [text, json, seed, stats] = await colloquyInTurn(
      [['import', file, '--tenant', 'shop'], ['import', file, '--tenant', 'shop', '--json'], ['seed'], ['stats']],
      { url },
    );
    expect(text).toMatchObject({ code: 3, stdout: '' });
    expect(text?.stderr).toMatch(
      /^colloquy: The database is locked by another process .* Nothing was written; try again/,
    );
    expect(json?.code).toBe(3);
    expect(JSON.parse(json?.stdout ?? '')).toMatchObject({ error: { code: 'DATABASE_LOCKED' } });
    expect(seed).toMatchObject({ code: 3, stderr: expect.stringMatching(/is locked by another process/) as string });
    expect(stats).toMatchObject({ code: 0, stderr: '' });
  });

  it('because another process makes it just now ends with exit code 3', async () => {
    const url = `${temporaryUrl()}?busyTimeout=200`;
    const raw = openRaw(`sqlite:${fileOf(url)}`);
    raw.exec('begin exclusive');
    const commands = [['stats'], ['migrate', 'up'], ['migrate', 'status']];
    const results = await colloquyInTurn(commands, { url });
    for (const printed of results) {
      expect(printed).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/is locked by another process/) as string,
      });
    }
    raw.exec('rollback');
    expect(await dumpTables(url)).toEqual({});
  });

  it('because it is no database ends with exit code 3, and the file stays as it is', async () => {
    const file = temporaryFile('notes.txt');
    const notes = 'These are my notes, and no database at all. '.repeat(50);
    writeFileSync(file, notes);
    const commands = [['stats'], ['migrate', 'status'], ['migrate', 'up'], ['seed', '--json']];
    const results = await colloquyInTurn(commands, { url: `sqlite:${file}` });
    for (const printed of results) {
      expect(printed).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/^colloquy: The file is not an SQLite/) as string,
      });
    }
    expect(JSON.parse(results[3]?.stdout ?? '')).toMatchObject({ error: { code: 'DATABASE_CORRUPT' } });
    expect(readFileSync(file, 'utf8')).toBe(notes);
  });

  it('because of where it is ends with exit code 3, and says what is wrong there', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'taken.sqlite'));
    const [missing, taken] = await Promise.all([
      colloquy(['stats'], { url: `sqlite:${join(folder, 'missing', 'app.sqlite')}` }),
      colloquy(['stats'], { url: `sqlite:${join(folder, 'taken.sqlite')}` }),
    ]);
    expect(missing).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/missing does not exist/) as string,
    });
    expect(taken).toMatchObject({ code: 3, stdout: '', stderr: expect.stringMatching(/it is not a file/) as string });
  });

  it('because another program made its tables ends with exit code 3, and they stay as they are', async () => {
    const url = temporaryUrl();
    openRaw(url).exec('create table tenants (id integer primary key, name text)');
    const results = await colloquyInTurn([['stats'], ['migrate', 'up'], ['seed']], { url });
    for (const printed of results) {
      expect(printed).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/tables that Colloquy did not make/) as string,
      });
    }
    expect(await dumpTables(url)).toEqual({ tenants: [] });
  });
});

describe('from the checkout', () => {
  it('npm run colloquy gives the command line', async () => {
    const url = await migrated();
    const npm = ['npm', 'run', '-s', 'colloquy', '--', 'stats', '--json'];
    const { code, stdout } = await startProgram(npm, { url, cwd: CHECKOUT }).finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ database: `SQLite ${fileOf(url)}`, rows: { tenants: 0 } });
  });

  it('npm start imports the sample and shows what came of it', async () => {
    const url = temporaryUrl();
    const { code, stdout } = await startProgram(['npm', 'start'], { url, cwd: CHECKOUT }).finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(/conversations\.jsonl \(colloquy\): 64 conversations with \d+ messages .*added/);
    expect(stdout).toMatch(/documents\.jsonl \(documents\): 16 documents added/);
    const [, command] = /^More of it: npm run -s colloquy -- (.*)$/m.exec(stdout) ?? [];
    expect(command).toBeDefined();
    const { code: found, stdout: history } = await colloquy((command ?? '').split(' '), { url });
    expect(found).toBe(0);
    expect(history).toMatch(/^Conversation example:.* of tenant demo:/);
  });
});
