import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { PersistenceManager } from '../src/index.js';
import { openRawMariaDb } from './raw/raw-mariadb.js';
import { openRawPostgreSql } from './raw/raw-postgresql.js';
import { openRawSqlite } from './raw/raw-sqlite.js';
import type { RawStore } from './raw/raw-store.js';

/** A database that both sides have open, and that is gone in the end. */
export interface Opened {
  readonly persistence: PersistenceManager;
  readonly raw: RawStore;
  readonly remove: () => Promise<void>;
}

/** Where the sides meet: an engine, its setting, and how many callers there are at once. */
export interface Arena {
  readonly name: string;
  readonly callers: number;
  readonly open: () => Promise<Opened>;
}

const POSTGRESQL = process.env['TEST_POSTGRESQL_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const MARIADB = process.env['TEST_MARIADB_URL'] ?? 'mariadb://root@127.0.0.1:3306/test';
const CALLERS = 32;

function sqlite(name: string, durable: boolean): Arena {
  return {
    name,
    callers: 1,
    async open() {
      const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'));
      const path = join(folder, 'bench.sqlite');
      const persistence = await PersistenceManager.open({ databaseUrl: `sqlite:${path}?durable=${String(durable)}` });
      const remove = async () => rmSync(folder, { recursive: true, force: true });
      return { persistence, raw: openRawSqlite(path, durable), remove };
    },
  };
}

function server(
  name: string,
  callers: number,
  base: string,
  raw: (url: string, connections: number) => RawStore,
  send: (statement: string) => Promise<void>,
): Arena {
  return {
    name,
    callers,
    async open() {
      const url = new URL(base);
      const database = `colloquy_bench_${randomUUID().replaceAll('-', '')}`;
      await send(`create database ${database}`);
      url.pathname = `/${database}`;
      const rawUrl = url.href;
      url.searchParams.set('poolSize', String(callers));
      if (url.protocol === 'postgresql:') url.searchParams.set('rowLevelSecurity', 'false');
      const persistence = await PersistenceManager.open({ databaseUrl: url.href });
      return { persistence, raw: raw(rawUrl, callers), remove: async () => send(`drop database ${database}`) };
    },
  };
}

async function toPostgreSql(statement: string): Promise<void> {
  const client = new Client({ connectionString: POSTGRESQL });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function toMariaDb(statement: string): Promise<void> {
  const connection = await createConnection({ uri: MARIADB.replace(/^mariadb:/, 'mysql:') });
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** Those of the wanted engines whose server answers; the others are named, with the reason. */
export async function arenas(wanted: readonly string[]): Promise<Arena[]> {
  const found: Arena[] = [];
  if (wanted.includes('sqlite')) found.push(sqlite('sqlite', false), sqlite('sqlite-durable', true));
  const servers = [
    ['postgresql', POSTGRESQL, openRawPostgreSql, toPostgreSql],
    ['mariadb', MARIADB, openRawMariaDb, toMariaDb],
  ] as const;
  for (const [name, base, raw, send] of servers) {
    if (!wanted.includes(name)) continue;
    try {
      await send('select 1');
      found.push(server(name, 1, base, raw, send), server(`${name}-${String(CALLERS)}`, CALLERS, base, raw, send));
    } catch (error) {
      process.stderr.write(`${name} is left out: ${String(error)}\n`);
    }
  }
  return found;
}
