import type { Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { ConfigurationError } from '../errors.js';
import type { Distribution, DistributionStep } from './engine.js';
import type { BoundPostgreSqlConnection } from './postgresql-driver.js';
import type { PostgreSqlSettings } from './postgresql-url.js';

const TENANT_COLUMN = 'tenant_id';
/** Where foreign keys are kept while their tables are on the way. */
const RECORD = 'distribution_foreign_keys';

const NO_SESSIONS =
  'the other nodes of Citus do not hear of the tenant of a session; put rowLevelSecurity=false into DATABASE_URL';

interface Table {
  /** Quoted where it must be, as all names here are. */
  readonly name: string;
  /** `local` is a table of the coordinator alone. */
  readonly kind: 'local' | 'reference' | 'distributed';
  readonly isOwned: boolean;
}

interface ForeignKey {
  readonly table: string;
  readonly name: string;
  readonly refersTo: string;
  readonly definition: string;
}

/**
 * The tables that carry a tenant, what they refer to, and the given ones, which they referred to before. `repmodel` tells a reference table from one that is only known to Citus; see
 * https://docs.citusdata.com/en/stable/develop/api_metadata.html.
 */
const TABLES = `
  with owned as (
    select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and a.attname = '${TENANT_COLUMN}'
  ), concerned as (
    select oid from owned
    union select f.confrelid from pg_constraint f join owned o on o.oid = f.conrelid where f.contype = 'f'
    union select c.oid from pg_class c where c.relnamespace = current_schema()::regnamespace and quote_ident(c.relname) in (?)
    union select logicalrelid from pg_dist_partition p join pg_class c on c.oid = p.logicalrelid
           where c.relnamespace = current_schema()::regnamespace
  )
  select quote_ident(c.relname) as name, exists (select from owned o where o.oid = c.oid) as "isOwned",
         case when p.partmethod = 'h' then 'distributed' when p.repmodel = 't' then 'reference' else 'local' end as kind
    from concerned join pg_class c using (oid) left join pg_dist_partition p on p.logicalrelid = c.oid
   order by c.relname`;

const FOREIGN_KEYS = `
  select quote_ident(c.relname) as table, quote_ident(f.conname) as name, quote_ident(r.relname) as "refersTo",
         pg_get_constraintdef(f.oid) as definition
    from pg_constraint f join pg_class c on c.oid = f.conrelid join pg_class r on r.oid = f.confrelid
   where f.contype = 'f' and f.conparentid = 0 and f.conrelid = any (array[?]::regclass[])
   order by c.relname, f.conname`;

/** What Citus refuses of a distributed table; see https://docs.citusdata.com/en/stable/reference/common_errors.html. */
const REFUSED = `
  select format('the unique key %s of %s does not contain ${TENANT_COLUMN}', i.relname, c.relname) as problem
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
    join pg_attribute a on a.attrelid = c.oid and a.attname = '${TENANT_COLUMN}'
   where x.indrelid = any (array[?]::regclass[]) and (x.indisunique or x.indisexclusion) and a.attnum <> all (x.indkey)
  union all
  select format('the foreign key %s of %s changes keys by itself (set null, set default or on update)', f.conname, c.relname)
    from pg_constraint f join pg_class c on c.oid = f.conrelid
   where f.contype = 'f' and f.conrelid = any (array[?]::regclass[])
     and (f.confupdtype not in ('a', 'r') or f.confdeltype not in ('a', 'r', 'c'))
  union all
  select format('%s has the trigger %s', c.relname, t.tgname)
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
   where t.tgrelid = any (array[?]::regclass[]) and not t.tgisinternal
  order by problem`;

/**
 * PostgreSQL with the extension Citus: tables that carry a tenant are split by it over the nodes of a cluster, those that they refer to
 * are copied to every node. Citus takes no foreign key between a table that is distributed and one that is not yet, so all of them are
 * set aside first and made again at the end. What remains to be done is read from the database each time: whatever ended an earlier
 * run, the next one goes on from there.
 */
export class CitusDistribution implements Distribution {
  readonly #connection: BoundPostgreSqlConnection;
  readonly #settings: PostgreSqlSettings;

  constructor(connection: BoundPostgreSqlConnection, settings: PostgreSqlSettings) {
    this.#connection = connection;
    this.#settings = settings;
  }

  async assertPossible(): Promise<void> {
    const [found] = await this.#rows<{ citus: boolean; preloaded: boolean }>(
      `select exists (select from pg_extension where extname = 'citus') as citus,
              coalesce(current_setting('shared_preload_libraries', true), '') like '%citus%' as preloaded`,
    );
    if (!found?.citus) {
      const first = found?.preloaded ? '' : `add citus to shared_preload_libraries, restart the server, and `;
      throw new ConfigurationError([
        `the database has no extension citus; ${first}let a superuser type: create extension citus;`,
      ]);
    }
    const tables = await this.#tables([]);
    const owned = tables.filter(({ isOwned }) => isOwned).map(({ name }) => name);
    const refused = await this.#rows<{ problem: string }>(REFUSED, [owned, owned, owned]);
    const problems = refused.map(({ problem }) => problem);
    if (this.#settings.rowLevelSecurity) {
      problems.push(NO_SESSIONS);
    }
    if (problems.length > 0) throw new ConfigurationError(problems);
  }

  async remaining(shards?: number): Promise<readonly DistributionStep[]> {
    // Another process may be about to drop the record of foreign keys.
    return this.#connection.migrateAlone((transaction) => this.#remaining(shards, transaction));
  }

  async takeStep(shards?: number): Promise<DistributionStep | undefined> {
    return this.#connection.migrateAlone(async (transaction) => {
      const [step] = await this.#remaining(shards, transaction);
      for (const statement of step?.statements ?? []) await this.#rows(statement, [], transaction);
      return step;
    });
  }

  async #remaining(shards?: number, transaction?: Transaction): Promise<DistributionStep[]> {
    const recorded = await this.#recorded(transaction);
    const tables = await this.#tables(recorded, transaction);
    const waiting = tables.filter(({ kind, isOwned }) => kind !== (isOwned ? 'distributed' : 'reference'));
    const [owned, referredTo] = [waiting.filter(({ isOwned }) => isOwned), waiting.filter(({ isOwned }) => !isOwned)];
    // All that are split alike lie together, with the first.
    const first = tables.find(({ kind }) => kind === 'distributed')?.name ?? owned[0]?.name;
    const inTheWay = await this.#inTheWay(tables, waiting, transaction);
    const keys = [...recorded, ...inTheWay];
    return [
      ...(inTheWay.length > 0 ? [setAside(inTheWay)] : []),
      ...referredTo.map(({ name }) => copyToNodes(name)),
      ...owned.map(({ name }) => distribute(name, name === first ? undefined : first, shards)),
      ...keys.map((key, index) => addForeignKey(key, index === keys.length - 1)),
    ];
  }

  async #tables(recorded: readonly ForeignKey[], transaction?: Transaction): Promise<Table[]> {
    // No table has the empty name; a list must not be empty.
    return this.#rows<Table>(TABLES, [['', ...recorded.map(({ refersTo }) => refersTo)]], transaction);
  }

  /** The foreign keys from or to tables that are not distributed yet. */
  async #inTheWay(
    tables: readonly Table[],
    waiting: readonly Table[],
    transaction?: Transaction,
  ): Promise<ForeignKey[]> {
    const names = new Set(waiting.map(({ name }) => name));
    const all = tables.map(({ name }) => name);
    const keys = await this.#rows<ForeignKey>(FOREIGN_KEYS, [all], transaction);
    return keys.filter(({ table, refersTo }) => names.has(table) || names.has(refersTo));
  }

  async #recorded(transaction?: Transaction): Promise<ForeignKey[]> {
    // Not by to_regclass, which believes a cache that does not hear of other processes while this one waits for its lock.
    const exists = `select exists (
      select from pg_class where relname = '${RECORD}' and relnamespace = current_schema()::regnamespace
    ) as recorded`;
    const [found] = await this.#rows<{ recorded: boolean }>(exists, [], transaction);
    if (!found?.recorded) return [];
    const sql = `select "table", name, refers_to as "refersTo", definition from ${RECORD} order by "table", name`;
    return this.#rows<ForeignKey>(sql, [], transaction);
  }

  async #rows<Row extends object>(
    sql: string,
    values: readonly unknown[] = [],
    transaction?: Transaction,
  ): Promise<Row[]> {
    return this.#connection.execute<Row[]>(sql, values, 'all', transaction);
  }
}

function setAside(keys: readonly ForeignKey[]): DistributionStep {
  const create = `create table if not exists ${RECORD} ("table" text, name text, refers_to text, definition text, primary key ("table", name))`;
  const statements = keys.flatMap(({ table, name, refersTo, definition }) => [
    `insert into ${RECORD} values (${[table, name, refersTo, definition].map(literal).join(', ')})`,
    `alter table ${table} drop constraint ${name}`,
  ]);
  return { what: 'set foreign keys aside', object: String(keys.length), statements: [create, ...statements] };
}

function copyToNodes(table: string): DistributionStep {
  return {
    what: 'copy to every node',
    object: table,
    statements: [`select create_reference_table(${literal(table)})`],
  };
}

function distribute(table: string, together: string | undefined, shards: number | undefined): DistributionStep {
  const parameters = [
    literal(table),
    literal(TENANT_COLUMN),
    `colocate_with => ${literal(together ?? 'none')}`,
    ...(together === undefined && shards !== undefined ? [`shard_count => ${String(shards)}`] : []),
  ];
  const statements = [`select create_distributed_table(${parameters.join(', ')})`];
  return { what: 'distribute', object: table, statements };
}

function addForeignKey({ table, name, definition }: ForeignKey, isLast: boolean): DistributionStep {
  const forget = `delete from ${RECORD} where "table" = ${literal(table)} and name = ${literal(name)}`;
  const statements = [
    `alter table ${table} add constraint ${name} ${definition}`,
    isLast ? `drop table ${RECORD}` : forget,
  ];
  return { what: 'add foreign key', object: `${table} ${name}`, statements };
}

/** Names and definitions of the schema as SQL; no value of a row comes here. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** @throws ConfigurationError where row-level security would show nothing, because tables are on other nodes. */
export async function assertNotDistributed(em: SqlEntityManager): Promise<void> {
  if (await isDistributed(em)) throw new ConfigurationError([NO_SESSIONS]);
}

/** Whether tables of the database are spread over several servers. */
export async function isDistributed(em: SqlEntityManager): Promise<boolean> {
  const [citus] = await em.execute<{ known: boolean }[]>(
    `select to_regclass('pg_catalog.pg_dist_partition') is not null as known`,
  );
  if (!citus?.known) return false;
  const rows = await em.execute<object[]>('select logicalrelid from pg_catalog.pg_dist_partition limit 1');
  return rows.length > 0;
}
