import Database from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';

type RawRow = Readonly<Record<string, unknown>>;

/** One connection, beside the library. */
export interface RawConnection {
  rows<Row = RawRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

interface RawDatabase {
  readonly connect: (url: string) => Promise<RawConnection>;
  /** Selects the names of the tables, as `name`. */
  readonly tables: string;
}

const SQLITE: RawDatabase = {
  async connect(url) {
    const database = new Database(url.replace(/^sqlite:/, '').replace(/\?.*$/s, ''));
    return {
      async rows<Row>(sql: string, values: readonly unknown[] = []) {
        const statement = database.prepare<unknown[], Row>(sql);
        if (statement.reader) return statement.all(...values);
        statement.run(...values);
        return [];
      },
      close: async () => void database.close(),
    };
  },
  tables: `select name from sqlite_master where type = 'table'`,
};

const POSTGRESQL: RawDatabase = {
  async connect(url) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    await client.connect();
    return {
      rows: async <Row>(sql: string, values: readonly unknown[] = []) =>
        (await client.query<Record<string, unknown>>(sql, [...values])).rows as Row[],
      close: () => client.end(),
    };
  },
  tables: `select tablename as name from pg_tables where schemaname = 'public'`,
};

const MARIADB: RawDatabase = {
  async connect(url) {
    const connection = await createConnection({ uri: url.replace(/\?.*$/s, ''), connectTimeout: 2_000 });
    return {
      async rows<Row>(sql: string, values: readonly unknown[] = []) {
        const [rows] = await connection.query({ sql, values: [...values] as string[] });
        return Array.isArray(rows) ? (rows as Row[]) : [];
      },
      close: () => connection.end(),
    };
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

/** Opens a connection; whoever opens it closes it. */
export async function connectRaw(url: string): Promise<RawConnection> {
  return databaseOf(url).connect(url);
}

/** What a statement selects, or nothing, run beside the library, on a connection of its own. */
export async function rawRows<Row = RawRow>(url: string, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  const connection = await connectRaw(url);
  try {
    return await connection.rows<Row>(sql, values);
  } finally {
    await connection.close();
  }
}

/** The tables of a database, in the order of their names. */
export async function tableNames(url: string): Promise<string[]> {
  const rows = await rawRows(url, databaseOf(url).tables);
  return rows.map(({ name }) => String(name)).toSorted();
}
