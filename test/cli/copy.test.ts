import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CopyReport } from '../../src/services/copy.js';
import { colloquy, colloquyInTurn } from '../support/command-line.js';
import { makeEveryEntity } from '../support/every-entity.js';
import { openManager } from '../support/open-manager.js';
import { rawRows } from '../support/raw-rows.js';
import { temporaryFolder, temporaryUrl } from '../support/temporary-folder.js';

const SECRET = 'hunter2';

/** A database with the tenants acme and beta. */
async function furnished(seed = 1): Promise<string> {
  const url = temporaryUrl();
  const { persistence } = await openManager({ url, seed });
  for (const slug of ['acme', 'beta']) await makeEveryEntity(persistence, slug);
  await persistence.close();
  return url;
}

describe('colloquy copy', () => {
  it('copies, reports, and says the same digest of both databases', async () => {
    const [from, to] = [await furnished(), temporaryUrl()];
    const copy = ['copy', '--from', from, '--to', to];
    const [json, text, one, other] = await colloquyInTurn([
      [...copy, '--tenant', 'acme', '--json'],
      copy,
      [`DATABASE_URL=${from}`, 'stats', '--tenant', 'beta', '--digest', '--json'],
      [`DATABASE_URL=${to}`, 'stats', '--tenant', 'beta', '--digest'],
    ]);
    expect(json).toMatchObject({ code: 0, stderr: '' });
    const report = JSON.parse(json?.stdout ?? '') as CopyReport;
    expect(report).toMatchObject({
      from: expect.stringContaining('SQLite') as string,
      tenants: [{ tenant: 'acme', isEqual: true }],
    });
    expect(text).toMatchObject({ code: 0, stderr: '' });
    const rows = String(Object.values(report.tenants[0]?.rows ?? {}).reduce((sum, count) => sum + count, 0));
    const acme = `acme: 0 of ${rows} rows copied, ${rows} there already; both databases have the same`;
    expect(text?.stdout.split('\n')[0]).toBe(acme);
    expect(text?.stdout.split('\n')[1]).toMatch(new RegExp(`^beta: ${rows} of ${rows} rows copied; `));
    expect(text?.stdout).toMatch(/2 tenants copied from SQLite .* to SQLite .*\.\n$/);
    const { digest } = JSON.parse(one?.stdout ?? '') as { readonly digest: string };
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(other?.stdout).toContain(`\nDigest: ${digest}\n`);
  });

  it('ends with exit code 1 when the target differs, and names the rows', async () => {
    const [from, to] = [await furnished(), temporaryUrl()];
    await colloquy(['migrate', 'up'], { url: to });
    await rawRows(
      to,
      `create trigger other after insert on users begin update users set username = 'other' where id = new.id; end`,
    );
    await rawRows(to, `create trigger lost before insert on usage_records begin select raise(ignore); end`);
    const { code, stdout, stderr } = await colloquy(['copy', '--from', from, '--to', to, '--tenant', 'acme']);
    expect(code).toBe(1);
    expect(stdout).toContain('THE TARGET DIFFERS');
    expect(
      stderr
        .trim()
        .split('\n')
        .map((line) => line.replace(/[0-9a-f-]{36}/, 'ID')),
    ).toEqual([
      'acme: users ID is different (username)',
      'acme: users ID is different (username)',
      'acme: usage_records ID is missing',
      'acme: usage_records ID is missing',
    ]);
  });

  it('ends with exit code 3 when the target has other rows, and says so as JSON too', async () => {
    const [from, to] = [await furnished(1), await furnished(2)];
    const { code, stdout, stderr } = await colloquy(['copy', '--from', from, '--to', to, '--json']);
    expect(code).toBe(3);
    expect(stderr).toContain('Tenant "acme" cannot be copied: the target has another tenant of this name.');
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'COPY_REFUSED', tenant: 'acme' } });
  });

  it('refuses one database under two names', async () => {
    const from = await furnished();
    const alias = join(temporaryFolder(), 'alias.sqlite');
    symlinkSync(from.replace('sqlite:', ''), alias);
    const results = await colloquyInTurn(
      [from, from.replace('sqlite:', 'file://'), `sqlite:${alias}`].map((to) => ['copy', '--from', from, '--to', to]),
    );
    for (const result of results)
      expect(result).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('cannot be copied to itself') as string,
      });
  });

  it('refuses what it cannot do before it makes a database', async () => {
    const from = await furnished();
    const cwd = temporaryFolder();
    const to = `sqlite:${join(cwd, 'target.sqlite')}`;
    const missing = join(cwd, 'missing.sqlite');
    const [noFrom, noTo, unknownOption, badFrom, badTo, noSource, noTenant] = await colloquyInTurn(
      [
        ['copy', '--to', to],
        ['copy', '--from', from],
        ['copy', '--from', from, '--to', to, '--force'],
        ['copy', '--from', `oracle://ann:${SECRET}@db.example/app`, '--to', to],
        ['copy', '--from', from, '--to', `oracle://ann:${SECRET}@db.example/app`],
        ['copy', '--from', `sqlite:${missing}`, '--to', to],
        ['copy', '--from', from, '--to', to, '--tenant', 'nobody'],
      ],
      { cwd },
    );
    for (const result of [noFrom, noTo, unknownOption, badFrom, badTo]) expect.soft(result?.code).toBe(2);
    expect(badFrom?.stderr).toContain('scheme in --from is the unknown scheme oracle:');
    expect(badTo?.stderr).toContain('scheme in --to is the unknown scheme oracle:');
    expect(`${String(badFrom?.stderr)}${String(badTo?.stderr)}`).not.toContain(SECRET);
    expect(noSource).toMatchObject({ code: 3, stderr: expect.stringContaining('there is no such file') as string });
    expect(noTenant).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('There is no tenant "nobody" here') as string,
    });
    expect(readdirSync(cwd)).toEqual([]);
    expect(existsSync(missing)).toBe(false);
  });

  it('does not migrate the database that it reads', async () => {
    const [from, to] = [temporaryUrl(), temporaryUrl()];
    const [, down, copy, status] = await colloquyInTurn([
      [`DATABASE_URL=${from}`, 'migrate', 'up'],
      [`DATABASE_URL=${from}`, 'migrate', 'down'],
      ['copy', '--from', from, '--to', to],
      [`DATABASE_URL=${from}`, 'migrate', 'status', '--json'],
    ]);
    expect(down?.code).toBe(0);
    expect(copy).toMatchObject({ code: 3, stderr: expect.stringContaining('migrations are pending') as string });
    expect(status?.stdout).toContain('"pending"');
    expect(existsSync(to.replace('sqlite:', ''))).toBe(false);
  });
});

describe('colloquy stats --digest', () => {
  it('needs a tenant', async () => {
    const { code, stdout, stderr } = await colloquy(['stats', '--digest', '--json'], { url: await furnished() });
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'A digest is one of a tenant; name it with --tenant.\n' });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'USAGE' } });
  });

  it('is not computed unless it was asked for', async () => {
    const { stdout } = await colloquy(['stats', '--tenant', 'acme', '--json'], { url: await furnished() });
    expect(JSON.parse(stdout)).not.toHaveProperty('digest');
  });
});
