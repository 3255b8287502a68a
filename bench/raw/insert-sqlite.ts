import Database from 'better-sqlite3';
import { BATCH_ROWS, TABLES } from './tables.js';

/** Statements prepared once, and run for each row. */
export async function insertIntoSqlite(filled: string, empty: string): Promise<number> {
  const from = new Database(filled, { readonly: true });
  const to = new Database(empty);
  to.pragma('journal_mode = wal');
  to.pragma('synchronous = normal');
  to.pragma('foreign_keys = on');
  to.pragma('cache_size = -16384');
  to.pragma('wal_autocheckpoint = 4000');
  const tables = TABLES.flatMap((table) => {
    const rows = from.prepare(`select * from ${table} order by rowid`).raw().all() as unknown[][];
    const [first] = rows;
    if (!first) return [];
    return { insert: to.prepare(`insert into ${table} values (${first.map(() => '?').join(', ')})`), rows };
  });
  globalThis.gc?.();
  const begin = performance.now();
  for (const { insert, rows } of tables) {
    for (let first = 0; first < rows.length; first += BATCH_ROWS) {
      to.exec('begin immediate');
      for (const row of rows.slice(first, first + BATCH_ROWS)) insert.run(row);
      to.exec('commit');
    }
  }
  const seconds = (performance.now() - begin) / 1_000;
  from.close();
  to.close();
  return seconds;
}
