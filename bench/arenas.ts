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
import { type BenchDatabase, type OpenSide, type PathName, PATHS } from './side.js';

/** A database that all sides have open, and that is gone in the end. */
export interface Opened {
  readonly persistence: PersistenceManager;
  readonly database: BenchDatabase;
  readonly remove: () => Promise<void>;
}

/** Where the sides meet: an engine, its setting, and how many callers there are at once. */
export interface Arena {
  readonly name: string;
  readonly callers: number;
  readonly paths: readonly PathName[];
  /** How many conversations the callers share. */
  readonly chats: number;
  /** Whether the libraries of others are measured here too. */
  readonly hasPeers: boolean;
  readonly openRaw: OpenSide;
  readonly open: () => Promise<Opened>;
}

const POSTGRESQL = process.env['TEST_POSTGRESQL_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const MARIADB = process.env['TEST_MARIADB_URL'] ?? 'mariadb://root@127.0.0.1:3306/test';
const CALLERS = 32;
const CHATS = 60;
const READS: readonly PathName[] = ['last50', 'byId', 'list'];
const EACH: readonly PathName[] = ['append', ...READS];

function sqlite(name: string, durable: boolean, callers: number, paths: readonly PathName[]): Arena {
  return {
    name,
    callers,
    paths,
    chats: CHATS,
    hasPeers: !durable,
    openRaw: openRawSqlite,
    async open() {
      const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'));
      const address = join(folder, 'bench.sqlite');
      const url = `sqlite:${address}?durable=${String(durable)}`;
      const persistence = await PersistenceManager.open({ databaseUrl: url, cache: false });
      const remove = async () => rmSync(folder, { recursive: true, force: true });
      return { persistence, database: { engine: 'sqlite', address, durable, callers }, remove };
    },
  };
}

interface Server {
  readonly engine: 'postgresql' | 'mariadb';
  readonly base: string;
  readonly openRaw: OpenSide;
  readonly send: (statement: string) => Promise<void>;
}

type ServerArena = Pick<Arena, 'name' | 'callers' | 'paths'> & Partial<Arena> & { readonly security?: boolean };

function onServer({ engine, base, openRaw, send }: Server, given: ServerArena): Arena {
  const { callers, security = false } = given;
  return {
    chats: CHATS,
    hasPeers: engine === 'postgresql' && !security,
    openRaw,
    ...given,
    async open() {
      const url = new URL(base);
      const database = `colloquy_bench_${randomUUID().replaceAll('-', '')}`;
      await send(`create database ${database}`);
      url.pathname = `/${database}`;
      const address = url.href;
      url.searchParams.set('poolSize', String(callers));
      if (engine === 'postgresql') url.searchParams.set('rowLevelSecurity', String(security));
      const persistence = await PersistenceManager.open({ databaseUrl: url.href, cache: false });
      const remove = async () => send(`drop database ${database}`);
      return { persistence, database: { engine, address, durable: true, callers }, remove };
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

function arenasOf(server: Server): Arena[] {
  const { engine } = server;
  const many = `${engine}-${String(CALLERS)}`;
  const common = [
    onServer(server, { name: engine, callers: 1, paths: PATHS }),
    onServer(server, { name: many, callers: CALLERS, paths: EACH }),
    onServer(server, {
      name: `${many}-one-conversation`,
      callers: CALLERS,
      paths: ['append'],
      chats: 1,
      hasPeers: false,
    }),
  ];
  if (engine !== 'postgresql') return common;
  return [
    ...common,
    onServer(server, { name: `${engine}-rls`, callers: 1, paths: EACH, security: true }),
    onServer(server, { name: `${many}-rls`, callers: CALLERS, paths: EACH, security: true }),
  ];
}

/** Those of the wanted engines whose server answers; the others are named, with the reason. */
export async function arenas(wanted: readonly string[]): Promise<Arena[]> {
  const found: Arena[] = [];
  if (wanted.includes('sqlite')) {
    found.push(
      sqlite('sqlite', false, 1, PATHS),
      sqlite('sqlite-durable', true, 1, ['append']),
      sqlite(`sqlite-durable-${String(CALLERS)}`, true, CALLERS, ['append']),
    );
  }
  const servers: readonly Server[] = [
    { engine: 'postgresql', base: POSTGRESQL, openRaw: openRawPostgreSql, send: toPostgreSql },
    { engine: 'mariadb', base: MARIADB, openRaw: openRawMariaDb, send: toMariaDb },
  ];
  for (const server of servers) {
    if (!wanted.includes(server.engine)) continue;
    try {
      await server.send('select 1');
      found.push(...arenasOf(server));
    } catch (error) {
      process.stderr.write(`${server.engine} is left out: ${String(error)}\n`);
    }
  }
  return found;
}
