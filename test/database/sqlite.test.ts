import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectEngine } from '../../src/database/select-engine.js';
import {
  ColloquyError,
  ConfigurationError,
  DatabaseCorruptError,
  DatabaseFullError,
  DatabaseLockedError,
  DatabaseReadOnlyError,
  DatabaseUnavailableError,
  PersistenceClosedError,
} from '../../src/errors.js';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { openAcme, openManager } from '../support/open-manager.js';
import { createGate } from '../support/gate.js';
import { openRaw } from '../support/raw-database.js';
import { rejectionOf } from '../support/rejection.js';
import { temporaryFile, temporaryFolder, temporaryUrl } from '../support/temporary-folder.js';

async function pragma(persistence: PersistenceManager, name: string): Promise<unknown> {
  const rows: Record<string, unknown>[] = await persistence.orm.em.getConnection().execute(`pragma ${name}`);
  return Object.values(rows[0] ?? {})[0];
}

const NORMAL = 1;
const FULL = 2;

describe('a database file', () => {
  it.each([
    ['', { synchronous: NORMAL }],
    ['?durable=false', { synchronous: NORMAL }],
    ['?durable=true', { synchronous: FULL }],
    ['?durable=true&busyTimeout=200', { synchronous: FULL }],
    ['?busyTimeout=0', { synchronous: NORMAL }],
  ])('of %j is opened as that says, with a write-ahead log and foreign keys', async (parameters, expected) => {
    const { persistence } = await openManager({ url: temporaryUrl() + parameters });
    const names = ['journal_mode', 'foreign_keys', ...Object.keys(expected)];
    const actual = await Promise.all(names.map(async (name) => [name, await pragma(persistence, name)]));
    expect(Object.fromEntries(actual)).toEqual({ journal_mode: 'wal', foreign_keys: 1, ...expected });
  });

  it.each(['sqlite:', 'sqlite://', 'file:', 'file://', 'SQLite:'])(
    'is found by a URL that begins with %s',
    async (prefix) => {
      const path = temporaryFile("it's a file.sqlite");
      await using persistence = await PersistenceManager.open({ databaseUrl: prefix + path });
      await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
      expect(existsSync(path)).toBe(true);
      expect(persistence.database).toBe(`SQLite ${path}`);
    },
  );

  it('is one whole file once it was closed', async () => {
    const path = temporaryFile();
    const { persistence } = await openAcme({ url: `sqlite:${path}` });
    await persistence.close();
    expect([existsSync(path), existsSync(`${path}-wal`)]).toEqual([true, false]);
  });

  it('keeps what it holds from one opening to the next', async () => {
    const url = temporaryUrl();
    const { persistence, userId } = await openAcme({ url });
    await persistence.close();
    const { persistence: again } = await openManager({ url, seed: 2 });
    expect((await again.tenant('acme').users.get(userId)).externalId).toBe('acme-user');
  });
});

it('databases in memory know nothing of each other', async () => {
  await openAcme();
  const { persistence } = await openManager();
  expect((await persistence.tenants.list()).items).toEqual([]);
  expect(persistence.database).toBe('SQLite in memory');
});

describe('a URL that cannot be', () => {
  it.each([
    ['', 'databaseUrl'],
    ['colloquy.sqlite', 'no scheme'],
    ['oracle://scott:tiger@db/x', 'oracle:'],
    ['postgresql://ada:tiger@db/x?sslmode=perhaps', 'sslmode'],
    ['sqlite:', 'names no file'],
    ['sqlite:?durable=true', 'names no file'],
    ['sqlite://ada:tiger@db/x.sqlite', 'host'],
    ['sqlite:x.sqlite?durable=yes', 'durable'],
    ['sqlite:x.sqlite?busyTimeout=5s', 'busyTimeout'],
    ['sqlite:x.sqlite?busyTimeout=-1', 'busyTimeout'],
    ['sqlite:x.sqlite?password=tiger', 'password'],
  ])('%j is refused, without its secrets', async (databaseUrl, problem) => {
    const error = await rejectionOf(PersistenceManager.open({ databaseUrl }), ConfigurationError);
    expect(error.message).toContain(problem);
    expect(error.message).not.toContain('tiger');
    expect(existsSync('x.sqlite')).toBe(false);
  });

  it('is refused with every problem at once', async () => {
    const databaseUrl = 'sqlite:?durable=1&busyTimeout=x&cache=shared';
    const error = await rejectionOf(PersistenceManager.open({ databaseUrl }), ConfigurationError);
    expect(error.problems).toHaveLength(4);
  });
});

describe('a place where no database can be', () => {
  it('in a folder that does not exist is refused by name, and nothing is made', async () => {
    const path = join(temporaryFolder(), 'missing', 'x.sqlite');
    const error = await rejectionOf(openManager({ url: `sqlite:${path}` }), DatabaseUnavailableError);
    expect(error.message).toContain(`the folder ${dirname(path)} does not exist`);
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('that is a folder itself is refused', async () => {
    const path = join(temporaryFolder(), 'folder');
    mkdirSync(path);
    const error = await rejectionOf(openManager({ url: `sqlite:${path}` }), DatabaseUnavailableError);
    expect(error.reason).toBe('it is not a file');
  });

  it('under a file in place of a folder is refused', async () => {
    const path = temporaryFile();
    writeFileSync(path, '');
    await rejectionOf(openManager({ url: `sqlite:${path}/x.sqlite` }), DatabaseUnavailableError);
  });

  it.each([
    ['text', Buffer.from('this is a letter to grandmother, not a database\n'.repeat(100))],
    ['random bytes', Buffer.alloc(8192, 0xa5)],
  ])('that holds %s is refused and left as it was', async (_what, content) => {
    const path = temporaryFile();
    writeFileSync(path, content);
    const error = await rejectionOf(openManager({ url: `sqlite:${path}` }), DatabaseCorruptError);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(error.message).not.toContain('grandmother');
  });

  it('that is damaged in its middle is an error of a stated kind, never an empty page', async () => {
    const path = temporaryFile();
    const { persistence, tenant } = await openAcme({ url: `sqlite:${path}` });
    for (let index = 0; index < 40; index++) {
      await tenant.documents.create({ externalId: `d${String(index)}`, title: 't', content: 'x'.repeat(4000) });
    }
    await persistence.close();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4096, bytes.length);
    writeFileSync(path, bytes);
    const opened = openManager({ url: `sqlite:${path}`, seed: 2 });
    await rejectionOf(
      opened.then((again) => again.persistence.tenant('acme').documents.list()),
      DatabaseCorruptError,
    );
  });
});

describe('a lock that another connection holds', () => {
  it('fails a write with the stated error once the busy timeout is over', async () => {
    const url = temporaryUrl();
    const { tenant, userId } = await openAcme({ url: `${url}?busyTimeout=200` });
    const holder = openRaw(url);
    holder.exec('begin immediate');
    const begin = performance.now();
    const error = await rejectionOf(tenant.users.update(userId, { nickname: 'x' }), DatabaseLockedError);
    const waited = performance.now() - begin;
    expect(waited).toBeGreaterThan(150);
    expect(waited).toBeLessThan(5000);
    expect(error.message).not.toContain('nickname');
  });

  it('does not stop the process while it is waited for, also when its holder is in the same process', async () => {
    const url = temporaryUrl();
    const { persistence, tenant, userId } = await openAcme({ url });
    const { persistence: other } = await openManager({ url, seed: 2 });
    const [held, release] = [createGate(), createGate()];
    const holding = persistence.tenant('acme').transaction(async (unit) => {
      (await unit.users.get(userId)).nickname = 'first';
      await unit.flush();
      held.open();
      await release.opened;
    });
    await held.opened;
    const waiting = other.tenant('acme').users.update(userId, { username: 'second' });
    // A timer of a stopped process would come too late.
    setTimeout(() => release.open(), 20);
    await Promise.all([holding, waiting]);
    expect(await tenant.users.get(userId)).toMatchObject({ nickname: 'first', username: 'second' });
  });

  // A connection that is not given back after it could not begin would make every later call wait for ever.
  it('fails no more than what it met: reads go on, and writes once it is gone', { timeout: 5_000 }, async () => {
    const url = temporaryUrl();
    const { tenant, userId } = await openAcme({ url: `${url}?busyTimeout=50` });
    const holder = openRaw(url);
    holder.exec('begin immediate');
    await rejectionOf(tenant.users.update(userId, { nickname: 'x' }), DatabaseLockedError);
    expect((await tenant.users.get(userId)).nickname).toBeNull();
    holder.exec('rollback');
    expect(await tenant.users.update(userId, { nickname: 'x' })).toMatchObject({ nickname: 'x' });
  });

  it('fails the opening of a fresh file too', async () => {
    const url = temporaryUrl();
    const holder = openRaw(url);
    holder.exec('begin exclusive');
    await rejectionOf(openManager({ url: `${url}?busyTimeout=50` }), DatabaseLockedError);
    holder.exec('rollback');
    await openManager({ url });
  });
});

describe('a database that takes no writes', () => {
  it('is read, and writes fail with the stated error', { timeout: 5_000 }, async () => {
    const { persistence, tenant, userId } = await openAcme({ url: temporaryUrl() });
    // The tests may run as root, whom permissions do not stop.
    await persistence.orm.em.getConnection().execute('pragma query_only = on');
    await rejectionOf(tenant.users.update(userId, { nickname: 'x' }), DatabaseReadOnlyError);
    expect((await tenant.users.get(userId)).nickname).toBeNull();
  });

  it('since it is full fails with the stated error, and works again when there is room', async () => {
    const { persistence, tenant } = await openAcme({ url: temporaryUrl() });
    const pages = Number(await pragma(persistence, 'page_count'));
    await pragma(persistence, `max_page_count = ${String(pages)}`);
    const big = { externalId: 'big', title: 'private title', content: 'private'.repeat(20_000) };
    const error = await rejectionOf(tenant.documents.create(big), DatabaseFullError);
    expect(error.message).not.toContain('private');
    await pragma(persistence, `max_page_count = ${String(pages + 1000)}`);
    expect((await tenant.documents.create(big)).externalId).toBe('big');
  });
});

it('no error shows the content of a row', async () => {
  const { tenant, userId, persistence } = await openAcme({ url: temporaryUrl() });
  const secret = 'hunter2-secret';
  const calls = [
    () => tenant.users.create({ externalId: 'acme-user', username: secret }),
    () => tenant.users.create({ externalId: 'other', username: `${secret}\0` }),
    () => tenant.conversations.start({ userId: 'nobody', title: secret }),
    () => persistence.withEntityManager((em) => em.execute(`select * from nowhere where x = ?`, [secret])),
    () => tenant.users.update(userId, { email: secret }),
    async () => {
      await persistence.close();
      return tenant.users.create({ externalId: 'late', username: secret });
    },
  ];
  for (const call of calls) {
    const error = await rejectionOf(call(), ColloquyError);
    expect(JSON.stringify([error.message, error.toJSON(), String(error.cause)])).not.toContain(secret);
  }
  await rejectionOf(tenant.users.get(userId), PersistenceClosedError);
});

it('an engine tells what can be known before connecting', async () => {
  const path = temporaryFile();
  const engine = await selectEngine(`sqlite:${path}`);
  expect([engine.name, engine.description, engine.exists()]).toEqual(['sqlite', `SQLite ${path}`, false]);
  writeFileSync(path, '');
  expect(engine.exists()).toBe(true);
  expect((await selectEngine('sqlite::memory:')).exists()).toBe(true);
});
