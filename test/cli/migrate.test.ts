import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sqliteMigrations } from '../../src/migrations/sqlite/index.js';
import { colloquy, colloquyInTurn, type Printed } from '../support/command-line.js';
import { openManager } from '../support/open-manager.js';
import { openRaw, rowCounts } from '../support/raw-database.js';
import { fileOf } from '../support/table-dump.js';
import { temporaryFolder, temporaryUrl } from '../support/temporary-folder.js';

const NAMES = sqliteMigrations.map(({ name }) => name);
const LAST = NAMES.at(-1) ?? '';

interface CheckOutput {
  readonly checks: readonly { readonly check: string; readonly verdict: string; readonly detail: string }[];
}

async function migrated(): Promise<string> {
  const url = temporaryUrl();
  const { persistence } = await openManager({ url });
  await persistence.close();
  return url;
}

function json(printed: Printed | undefined): unknown {
  return JSON.parse(printed?.stdout ?? '');
}

function verdicts(printed: Printed | undefined): string[] {
  return (json(printed) as CheckOutput).checks.map(({ verdict }) => verdict);
}

describe('colloquy migrate', () => {
  it('brings a database up, tells how it stands, and takes it down again', async () => {
    const url = temporaryUrl();
    const [before, up, again, status, check, down, after, checkAfter, to, zero, nothing] = await colloquyInTurn(
      [
        ['migrate', 'status', '--json'],
        ['migrate', 'up'],
        ['migrate', 'up', '--json'],
        ['migrate', 'status', '--json'],
        ['migrate', 'check'],
        ['migrate', 'down', '--json'],
        ['migrate', 'status'],
        ['migrate', 'check', '--json'],
        ['migrate', 'down', '--to', '002-users', '--json'],
        ['migrate', 'down', '--to', '0'],
        ['migrate', 'down'],
      ],
      { url },
    );
    const title = `Database: SQLite ${fileOf(url)}`;
    expect(json(before)).toMatchObject({
      exists: false,
      migrations: NAMES.map((name) => ({ name, state: 'pending' })),
    });
    expect(up?.stdout.split('\n')).toEqual([
      title,
      ...NAMES.map((name) => `  applied ${name}`),
      `${String(NAMES.length)} migrations applied.`,
      '',
    ]);
    expect(json(again)).toMatchObject({ applied: [] });
    expect(json(status)).toMatchObject({
      exists: true,
      migrations: NAMES.map((name) => ({ name, state: 'applied' })),
    });
    expect(check?.stdout.match(/^ {2}\w+/gm)).toEqual(['  pass', '  pass', '  pass', '  pass']);
    expect(json(down)).toMatchObject({ reverted: [LAST] });
    expect(after?.stdout).toMatch(new RegExp(`^ {2}${LAST} +pending +not applied yet$`, 'm'));
    expect(after?.stdout).toContain('1 migration pending. Apply with "colloquy migrate up".');
    expect(verdicts(checkAfter)).toEqual(['fail', 'pass', 'pass', 'skip']);
    expect(json(to)).toMatchObject({ reverted: NAMES.slice(2, -1).toReversed() });
    expect(zero?.stdout).toContain('2 migrations reverted.');
    expect(nothing?.stdout).toBe(`${title}\nNothing was applied.\n`);
    expect(rowCounts(openRaw(url))).toEqual({});
    const codes = [before, up, again, status, check, down, after, checkAfter, to, zero, nothing].map(
      (one) => one?.code,
    );
    expect(codes).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
  });

  it('makes no file where it only looks, nor where there is nothing to take down', async () => {
    const cwd = temporaryFolder();
    const { code, stdout } = await colloquy(['migrate', 'status'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Database: SQLite .*colloquy\.sqlite \(does not exist yet\)\n/);
    const looks = [
      ['migrate', 'check', '--json'],
      ['migrate', 'down'],
      ['migrate', 'down', '--to', '0'],
    ];
    const [check, down, zero] = await colloquyInTurn(looks, { cwd });
    expect(verdicts(check)).toEqual(['fail', 'pass', 'pass', 'skip']);
    expect([check?.code, down?.code, zero?.code]).toEqual([1, 0, 0]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('tells a migration that was edited since it was applied', async () => {
    const url = await migrated();
    openRaw(url)
      .prepare('update schema_migrations set checksum = ? where name = ?')
      .run('0'.repeat(64), '003-conversations');
    const [status, check, up, stats] = await colloquyInTurn(
      [
        ['migrate', 'status'],
        ['migrate', 'check', '--json'],
        ['migrate', 'up'],
        ['stats', '--json'],
      ],
      { url },
    );
    expect(status?.code).toBe(0);
    expect(status?.stdout).toMatch(/^ {2}003-conversations +changed .*edited since it was applied$/m);
    expect(check?.code).toBe(1);
    expect(verdicts(check)).toEqual(['pass', 'fail', 'pass', 'skip']);
    expect(up).toMatchObject({ code: 3, stderr: expect.stringContaining('003-conversations') as string });
    expect(stats?.code).toBe(3);
    expect(json(stats)).toMatchObject({ error: { code: 'SCHEMA_MISMATCH', problem: 'changed' } });
  });

  it('tells a migration that it does not know, and keeps its hands off such a database', async () => {
    const url = await migrated();
    const insert = 'insert into schema_migrations (name, checksum, executed_at) values (?, ?, ?)';
    openRaw(url).prepare(insert).run('999-future', '0'.repeat(64), '2030-01-01T00:00:00.000Z');
    const before = rowCounts(openRaw(url));
    const [status, check, up, stats] = await colloquyInTurn(
      [['migrate', 'status'], ['migrate', 'check', '--json'], ['migrate', 'up'], ['stats']],
      { url },
    );
    expect(status?.code).toBe(0);
    expect(status?.stdout).toMatch(/^ {2}999-future +missing +2030-01-01T00:00:00\.000Z +applied, but unknown/m);
    expect(check?.code).toBe(1);
    expect(verdicts(check)).toEqual(['pass', 'pass', 'fail', 'skip']);
    for (const refused of [up, stats]) {
      expect(refused).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/999-future.*Use a newer version/) as string,
      });
    }
    expect(rowCounts(openRaw(url))).toEqual(before);
  });

  it('does not take down a database that is newer than the code', async () => {
    const url = await migrated();
    const insert = 'insert into schema_migrations (name, checksum, executed_at) values (?, ?, ?)';
    openRaw(url).prepare(insert).run('999-future', '0'.repeat(64), '2030-01-01T00:00:00.000Z');
    const before = rowCounts(openRaw(url));
    const { code, stderr } = await colloquy(['migrate', 'down'], { url });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^colloquy: .*999-future/);
    expect(rowCounts(openRaw(url))).toEqual(before);
  });

  it('refuses to go down to what is not applied, and makes nothing of it', async () => {
    const url = temporaryUrl();
    const [unknown, as_json] = await colloquyInTurn(
      [
        ['migrate', 'down', '--to', '002-users'],
        ['migrate', 'down', '--to', '002-users', '--json'],
      ],
      { url },
    );
    expect(unknown?.code).toBe(2);
    expect(unknown?.stderr).toContain('No migration "002-users" is applied here; applied are: none.');
    expect(existsSync(fileOf(url))).toBe(false);
    expect(as_json?.code).toBe(2);
    expect(() => void JSON.parse(as_json?.stdout ?? '')).not.toThrow();
  });
});
