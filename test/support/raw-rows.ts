import Database from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';

type RawRow = Readonly<Record<string, unknown>>;

interface RawDatabase {
  readonly rows: (url: string, sql: string, values: readonly unknown[]) => Promise<RawRow[]>;
  /** Selects the names of the tables, as `name`. */
  readonly tables: string;
}

const SQLITE: RawDatabase = {
  async rows(url, sql, values) {
    const database = new Database(url.replace(/^sqlite:/, '').replace(/\?.*$/s, ''));
    try {
      const statement = database.prepare<unknown[], RawRow>(sql);
      if (statement.reader) return statement.all(...values);
      statement.run(...values);
      return [];
    } finally {
      database.close();
    }
  },
  tables: `select name from sqlite_master where type = 'table'`,
};

const POSTGRESQL: RawDatabase = {
  async rows(url, sql, values) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  },
  tables: `select tablename as name from pg_tables where schemaname = 'public'`,
};

const MARIADB: RawDatabase = {
  async rows(url, sql, values) {
    const connection = await createConnection({ uri: url.replace(/\?.*$/s, ''), connectTimeout: 2_000 });
    try {
      const [rows] = await connection.query({ sql, values: [...values] as string[] });
      return Array.isArray(rows) ? (rows as RawRow[]) : [];
    } finally {
      await connection.end();
    }
  },
  tables: `select table_name as name from information_schema.tables where table_schema = database()`,
};

const DATABASES: Readonly<Record<string, RawDatabase>> = {
  sqlite: SQLITE,
  postgresql: POSTGRESQL,
  mariadb: MARIADB,
};

function databaseOf(url: string): RawDatabase {
  const database = DATABASES[url.split(':')[0] ?? ''];
  if (!database) throw new Error(`No way is known here to look into ${url.split(':')[0] ?? ''}: databases.`);
  return database;
}

/** What a statement selects, or nothing, run beside the library, on a connection of its own. */
export async function rawRows<Row = RawRow>(url: string, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  return (await databaseOf(url).rows(url, sql, values)) as Row[];
}

/** The tables of a database, in the order of their names. */
export async function tableNames(url: string): Promise<string[]> {
  const rows = await rawRows(url, databaseOf(url).tables);
  return rows.map(({ name }) => String(name)).toSorted();
}
