import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';

/** The file behind a `sqlite:` URL, opened beside the library; closed when the test ends. */
export function openRaw(url: string): Database.Database {
  const database = new Database(url.replace(/^sqlite:/, ''));
  onTestFinished(() => {
    database.close();
  });
  return database;
}

export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

/** Everything that the schema consists of, SQLite's own bookkeeping included. */
export function schemaOf(database: Database.Database): SchemaObject[] {
  return database.prepare<[], SchemaObject>('select type, name, sql from sqlite_master order by type, name').all();
}

/** The number of rows by table. */
export function rowCounts(database: Database.Database): Record<string, number> {
  const tables = schemaOf(database).filter(({ type }) => type === 'table');
  return Object.fromEntries(
    tables.map(({ name }) => {
      const counted = database.prepare<[], { total: number }>(`select count(*) as total from "${name}"`).get();
      return [name, counted?.total ?? 0];
    }),
  );
}
