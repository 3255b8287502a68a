import Database from 'better-sqlite3';
import { Client } from 'pg';

type RawRow = Readonly<Record<string, unknown>>;

interface RawDatabase {
  readonly rows: (url: string, sql: string) => Promise<RawRow[]>;
  /** Selects the names of the tables, as `name`. */
  readonly tables: string;
}

const SQLITE: RawDatabase = {
  async rows(url, sql) {
    const database = new Database(url.replace(/^sqlite:/, '').replace(/\?.*$/s, ''));
    try {
      const statement = database.prepare<[], RawRow>(sql);
      if (statement.reader) return statement.all();
      statement.run();
      return [];
    } finally {
      database.close();
    }
  },
  tables: `select name from sqlite_master where type = 'table'`,
};

const POSTGRESQL: RawDatabase = {
  async rows(url, sql) {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  },
  tables: `select tablename as name from pg_tables where schemaname = 'public'`,
};

const DATABASES: Readonly<Record<string, RawDatabase>> = { sqlite: SQLITE, postgresql: POSTGRESQL };

function databaseOf(url: string): RawDatabase {
  const database = DATABASES[url.split(':')[0] ?? ''];
  if (!database) throw new Error(`No way is known here to look into ${url.split(':')[0] ?? ''}: databases.`);
  return database;
}

/** What a statement selects, or nothing; run beside the library, on a connection of its own. */
export async function rawRows(url: string, sql: string): Promise<RawRow[]> {
  return databaseOf(url).rows(url, sql);
}

/** The tables of a database, in the order of their names. */
export async function tableNames(url: string): Promise<string[]> {
  const rows = await rawRows(url, databaseOf(url).tables);
  return rows.map(({ name }) => String(name)).toSorted();
}
