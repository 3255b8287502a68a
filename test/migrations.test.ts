import { Migration } from '@mikro-orm/migrations';
import type Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../src/database/engine.js';
import { createSqliteEngine } from '../src/database/sqlite.js';
import { DatabaseFailedError, SchemaMismatchError } from '../src/errors.js';
import { sqliteMigrations } from '../src/migrations/sqlite/index.js';
import { runCommand, startChild } from './support/child.js';
import { openManager, openOrm } from './support/open-manager.js';
import { openRaw, schemaOf } from './support/raw-database.js';
import { rejectionOf } from './support/rejection.js';
import { fakeClock } from './support/sources.js';
import { temporaryUrl } from './support/temporary-folder.js';

const NAMES = sqliteMigrations.map(({ name }) => name);
const RECORD = 'schema_migrations';

interface Named {
  readonly name: string;
}

/** What SQLite itself understands of the tables: columns, indexes, foreign keys and checks, however their SQL is written. */
function structureOf(database: Database.Database): Record<string, unknown> {
  const ask = (sql: string, name: string): unknown[] => database.prepare<[string]>(sql).all(name);
  const tables = schemaOf(database).filter(
    // No entity describes the index of search, or counters.
    ({ type, name }) => type === 'table' && name !== RECORD && !/^document_terms|^quota_months$/.test(name),
  );
  return Object.fromEntries(
    tables.map(({ name, sql }) => {
      const indexes = ask('select name, "unique", origin, partial from pragma_index_list(?) order by name', name);
      const entry = {
        checks:
          sql
            ?.replaceAll('`', '"')
            .match(/check \([^)]*\)\)/g)
            ?.toSorted() ?? [],
        columns: ask('select name, type, "notnull", dflt_value, pk from pragma_table_info(?) order by name', name),
        indexes: (indexes as Named[]).map((index) => ({
          ...index,
          columns: ask('select seqno, name from pragma_index_info(?) order by seqno', index.name),
        })),
        references: ask(
          'select "table", "from", "to", on_update, on_delete from pragma_foreign_key_list(?) order by "table", "from", "to"',
          name,
        ),
      };
      return [name, entry];
    }),
  );
}

function appliedNames(database: Database.Database): string[] {
  return database
    .prepare<[], Named>(`select name from ${RECORD} order by name`)
    .all()
    .map(({ name }) => name);
}

async function migrated(url = temporaryUrl()): Promise<string> {
  const { persistence } = await openManager({ url });
  await persistence.close();
  return url;
}

describe('the schema that the migrations make', () => {
  it('is the one that the entities describe, column by column, index by index', async () => {
    const [byMigrations, byEntities] = [await migrated(), temporaryUrl()];
    const { orm } = await openOrm(createSqliteEngine(byEntities));
    await orm.schema.create();
    expect(structureOf(openRaw(byMigrations))).toEqual(structureOf(openRaw(byEntities)));
  });

  it('leaves the schema generator nothing to update, which would notice what is missing', async () => {
    const { persistence } = await openManager();
    expect(await persistence.orm.schema.getUpdateSchemaSQL()).toBe('');
    await persistence.orm.em.getConnection().execute('drop index users_external_id_unique');
    expect(await persistence.orm.schema.getUpdateSchemaSQL()).toContain('users_external_id_unique');
    await persistence.orm.em.getConnection().execute('alter table users drop column nickname');
    expect(await persistence.orm.schema.getUpdateSchemaSQL()).toContain('nickname');
  });

  it.each([
    ['an index', 'drop index users_external_id_unique'],
    ['a column', 'alter table users drop column nickname'],
    ['a partial index', 'drop index messages_idempotency_key_unique'],
  ])('is another one without %s', async (_what, statement) => {
    const url = await migrated();
    const raw = openRaw(url);
    const before = structureOf(raw);
    raw.exec(statement);
    expect(structureOf(raw)).not.toEqual(before);
  });
});

describe('steps', () => {
  it('down to zero leave nothing at all, and up again gives the same schema', async () => {
    const url = temporaryUrl();
    const { migrator } = await openOrm(createSqliteEngine(url));
    await migrator.up();
    const raw = openRaw(url);
    const whole = schemaOf(raw);
    await migrator.down({ to: 0 });
    expect(schemaOf(raw)).toEqual([]);
    await migrator.up();
    expect(schemaOf(raw)).toEqual(whole);
  });

  it('can each be taken back alone', async () => {
    const url = temporaryUrl();
    const { migrator } = await openOrm(createSqliteEngine(url));
    const raw = openRaw(url);
    const everything = () => schemaOf(raw).filter(({ name }) => !name.includes(RECORD));
    for (const [index, name] of NAMES.entries()) {
      const before = everything();
      await migrator.up({ to: name });
      expect(appliedNames(raw)).toEqual(NAMES.slice(0, index + 1));
      expect(everything()).not.toEqual(before);
      await migrator.down();
      expect(everything()).toEqual(before);
      await migrator.up({ to: name });
    }
  });
});

describe('status', () => {
  it('tells pending from applied, with the time of the injected clock', async () => {
    const clock = fakeClock({ start: '2026-03-04T05:06:07.089Z' });
    const { migrator } = await openOrm(createSqliteEngine(temporaryUrl()), clock);
    expect(await migrator.status()).toEqual(NAMES.map((name) => ({ name, state: 'pending' })));
    await migrator.up({ to: '002-users' });
    expect((await migrator.status()).slice(0, 3)).toEqual([
      { name: '001-tenants', state: 'applied', appliedAt: new Date('2026-03-04T05:06:07.089Z') },
      { name: '002-users', state: 'applied', appliedAt: new Date('2026-03-04T05:06:07.089Z') },
      { name: '003-conversations', state: 'pending' },
    ]);
  });

  it('writes nothing, not even its own record', async () => {
    const url = temporaryUrl();
    const { migrator } = await openOrm(createSqliteEngine(url));
    await migrator.status();
    expect(schemaOf(openRaw(url))).toEqual([]);
  });

  it('finds a migration that was edited after it was applied, and one that this code does not know', async () => {
    const url = await migrated();
    const raw = openRaw(url);
    raw.exec(`update ${RECORD} set checksum = 'edited' where name = '004-messages'`);
    raw.exec(`insert into ${RECORD} values ('900-from-the-future', 'x', '2030-01-01T00:00:00.000Z')`);
    const { migrator } = await openOrm(createSqliteEngine(url));
    const unusual = (await migrator.status()).filter(({ state }) => state !== 'applied');
    expect(unusual.map(({ name, state }) => [name, state])).toEqual([
      ['004-messages', 'changed'],
      ['900-from-the-future', 'missing'],
    ]);
  });
});

describe('open refuses', () => {
  const CASES = [
    ['newer', `insert into ${RECORD} values ('900-future', 'x', '2030-01-01T00:00:00.000Z')`, ['900-future']],
    ['changed', `update ${RECORD} set checksum = 'edited' where name = '004-messages'`, ['004-messages']],
    ['foreign', `drop table ${RECORD}`, NAMES],
  ] as const;

  it.each(CASES)('a database that is %s, and changes nothing in it', async (problem, tamper, migrations) => {
    const url = await migrated();
    const raw = openRaw(url);
    raw.exec(tamper);
    const before = schemaOf(raw);
    const error = await rejectionOf(openManager({ url }), SchemaMismatchError);
    expect({ problem: error.problem, migrations: error.migrations }).toEqual({ problem, migrations });
    expect(schemaOf(raw)).toEqual(before);
  });

  it("tables that are not Colloquy's, whichever of its names they bear", async () => {
    const url = temporaryUrl();
    openRaw(url).exec('create table messages (id integer primary key, body text)');
    const error = await rejectionOf(openManager({ url }), SchemaMismatchError);
    expect(error.problem).toBe('foreign');
  });

  it('pending migrations where it may not migrate', async () => {
    const url = temporaryUrl();
    const { migrator } = await openOrm(createSqliteEngine(url));
    await migrator.up({ to: '003-conversations' });
    const error = await rejectionOf(openManager({ url, migrate: false }), SchemaMismatchError);
    expect({ problem: error.problem, migrations: error.migrations }).toEqual({
      problem: 'pending',
      migrations: NAMES.slice(3),
    });
    expect(appliedNames(openRaw(url))).toEqual(NAMES.slice(0, 3));
  });
});

it('processes that open a fresh file at once all succeed, and each migration is applied once', async () => {
  const url = temporaryUrl();
  const children = Array.from({ length: 6 }, () => startChild('open-once', [url]));
  const readers = children.map(({ lines }) => lines[Symbol.asyncIterator]());
  for (const reader of readers) expect((await reader.next()).value).toBe('ready');
  for (const { process: child } of children) child.stdin?.write('go\n');
  const applied = await Promise.all(readers.map(async (reader): Promise<unknown> => (await reader.next()).value));
  const endings = await Promise.all(children.map(({ ended }) => ended));
  expect(endings.map(({ code, errors }) => [code, errors])).toEqual(children.map(() => [0, '']));
  expect(applied).toEqual(children.map(() => String(NAMES.length)));
  expect(appliedNames(openRaw(url))).toEqual(NAMES);
});

class HalfWay extends Migration {
  override up(): void {
    this.addSql('create table "half" ("id" integer primary key)');
    this.addSql('create index "half_index" on "no_such_table" ("id")');
  }
}

const withBrokenMigration = (url: string): Engine => ({
  ...createSqliteEngine(url),
  migrations: [...sqliteMigrations, { name: '900-half-way', class: HalfWay }],
});

describe('a migration that fails half-way', () => {
  it('leaves an empty database empty', async () => {
    const url = temporaryUrl();
    const { migrator } = await openOrm(withBrokenMigration(url));
    await expect(migrator.up()).rejects.toThrow('no_such_table');
    expect(schemaOf(openRaw(url)).filter(({ name }) => !name.includes(RECORD))).toEqual([]);
  });

  it('leaves a migrated database as it was', async () => {
    const url = await migrated();
    const raw = openRaw(url);
    const before = [schemaOf(raw), appliedNames(raw)];
    const engine = withBrokenMigration(url);
    const { migrator } = await openOrm(engine);
    const error = await migrator.up().catch((reason: unknown) => engine.translateError(reason));
    expect(error).toBeInstanceOf(DatabaseFailedError);
    expect([schemaOf(raw), appliedNames(raw)]).toEqual(before);
  });
});

describe('the MikroORM command line', () => {
  it('lists, applies and takes back migrations of the database that DATABASE_URL names', async () => {
    const url = temporaryUrl();
    const command = (name: string) => runCommand('npx', ['--no', 'mikro-orm', name], { DATABASE_URL: url });
    expect(await command('migration:list')).toMatchObject({
      code: 0,
      output: expect.stringContaining('No migrations'),
    });
    expect(await command('migration:up')).toMatchObject({ code: 0 });
    const raw = openRaw(url);
    expect(appliedNames(raw)).toEqual(NAMES);
    expect((await command('migration:list')).output).toContain('009-document-search');
    expect(await command('migration:down')).toMatchObject({ code: 0 });
    expect(appliedNames(raw)).toEqual(NAMES.slice(0, -1));
  });

  it('finds nothing to migrate in the entities once all migrations are applied', async () => {
    const { code, output } = await runCommand('npx', ['--no', 'mikro-orm', 'migration:check'], {
      DATABASE_URL: await migrated(),
    });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('No changes') });
  });
});
