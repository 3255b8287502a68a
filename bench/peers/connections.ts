import Database from 'better-sqlite3';
import { Pool } from 'pg';
import type { BenchDatabase } from '../side.js';

/** better-sqlite3 as its documentation opens it for production. */
export function openSqlite({ address, durable }: BenchDatabase): Database.Database {
  const database = new Database(address, { timeout: 5_000 });
  database.pragma('journal_mode = wal');
  database.pragma(`synchronous = ${synchronousOf(durable)}`);
  database.pragma('foreign_keys = on');
  return database;
}

export const synchronousOf = (durable: boolean): 'full' | 'normal' => (durable ? 'full' : 'normal');

/** As many connections as there are callers, so that none waits for one. */
export const openPool = ({ address, callers }: BenchDatabase): Pool =>
  new Pool({ connectionString: address, max: callers });
