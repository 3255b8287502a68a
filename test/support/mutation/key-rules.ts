import { createHash } from 'node:crypto';
import { MikroORM } from '@mikro-orm/core';
import type { Engine, MigrationClass } from '../../../src/database/engine.js';
import { Migrator } from '../../../src/database/migrator.js';
import { selectEngine } from '../../../src/database/select-engine.js';
import { createOrmOptions } from '../../../src/services/orm-options.js';

/** A rule of the tables that keeps tenants apart, and how its statement is changed so that it no longer does. */
export interface KeyRule {
  readonly name: string;
  readonly mutate: (statement: string) => string;
}

interface Kind {
  readonly name: string;
  /** Where such a rule stands in a statement; `rule` is what the server calls it, where it has a name. */
  readonly pattern: RegExp;
  /** What stands there without it. */
  readonly without: (groups: Readonly<Record<string, string | undefined>>) => string;
}

/** A reference to a tenant keeps none from another: it has no part but the tenant. Policies are dropped in a test of their own. */
const KINDS: readonly Kind[] = [
  {
    name: 'a reference carries the tenant',
    pattern:
      /(?:constraint "?(?<rule>\w+)"? )?foreign key \("?tenant_id"?, [^)]+\) references \S+ \([^)]+\)(?: on \w+ (?:no action|cascade|restrict))*/g,
    without: ({ rule }) => `${rule === undefined ? '' : `constraint ${rule} `}check (1 = 1)`,
  },
  {
    name: 'a unique key begins with the tenant',
    // MariaDB's are added where they are not there yet.
    pattern:
      /(?<before>(?:"?(?<rule>\w+)"? on "?\w+"?|(?:constraint "?(?<constraint>\w+)"? )?unique(?: \/\*.*?\*\/)?) \()"?tenant_id"?, (?=[^)]+\))/g,
    without: ({ before = '' }) => before,
  },
  {
    name: 'the primary key begins with the tenant',
    pattern: /primary key \((?<tenant>"?tenant_id"?), (?<key>"?\w+"?)\)/g,
    // References need the whole key.
    without: ({ tenant = '', key = '' }) => `primary key (${key}), unique (${tenant}, ${key})`,
  },
];

/** Plain indexes begin with the tenant too; they keep nothing apart. */
const PLAIN_INDEX = /^\s*create index/i;

/** Every key rule in the migrations of an engine. */
export async function keyRulesOf(engine: Engine): Promise<KeyRule[]> {
  const orm = await MikroORM.init({ ...createOrmOptions(engine), connect: false } as never);
  try {
    const statements = await Promise.all(engine.migrations.map(({ class: Class }) => statementsOf(orm, Class)));
    return statements
      .flat()
      .filter((statement) => !PLAIN_INDEX.test(statement))
      .flatMap((statement) => rulesOf(statement));
  } finally {
    await orm.close(true);
  }
}

function rulesOf(statement: string): KeyRule[] {
  const table = /create table (?:if not exists )?"?(\w+)"?/.exec(statement)?.[1] ?? '';
  return KINDS.flatMap(({ name, pattern, without }) =>
    [...statement.matchAll(pattern)].map(({ 0: found, groups = {}, index }) => ({
      name: `${name}: ${groups['rule'] ?? groups['constraint'] ?? table}`,
      mutate: (given) =>
        given === statement ? given.slice(0, index) + without(groups) + given.slice(index + found.length) : given,
    })),
  );
}

async function statementsOf(orm: MikroORM, Class: MigrationClass): Promise<string[]> {
  const migration = new Class(orm.driver as never, orm.config);
  await migration.up();
  return migration.getQueries().map((query) => {
    if (typeof query !== 'string') throw new TypeError('A migration is expected to be text.');
    return query;
  });
}

/** Migrates an empty database, with every statement changed, and has the record say that it was not. */
export async function migrateMutated(url: string, mutate: KeyRule['mutate']): Promise<void> {
  const engine = await selectEngine(url);
  const migrations = engine.migrations.map(({ name, class: Class }) => ({ name, class: mutated(Class, mutate) }));
  const orm = await MikroORM.init(createOrmOptions({ ...engine, migrations }));
  try {
    await orm.connect();
    await Migrator.of(orm).up();
    for (const { name, class: Class } of engine.migrations) {
      const checksum = createHash('sha256')
        .update(JSON.stringify(await statementsOf(orm, Class)))
        .digest('hex');
      const sql = 'update schema_migrations set checksum = ? where name = ?';
      await orm.driver.getConnection().execute(sql, [checksum, name]);
    }
  } finally {
    await orm.close(true);
  }
}

function mutated(Class: MigrationClass, mutate: KeyRule['mutate']): MigrationClass {
  return new Proxy(Class, {
    construct(target, parameters: ConstructorParameters<MigrationClass>) {
      const migration = new target(...parameters);
      const getQueries = migration.getQueries.bind(migration);
      const changed = () => getQueries().map((query) => (typeof query === 'string' ? mutate(query) : query));
      return Object.assign(migration, { getQueries: changed });
    },
  });
}
