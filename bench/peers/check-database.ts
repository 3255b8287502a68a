import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PersistenceManager } from '../../src/index.js';
import type { BenchDatabase, Fixture } from '../side.js';
import { openPool, openSqlite } from './connections.js';

const POSTGRESQL = process.env['TEST_POSTGRESQL_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const CONVERSATIONS = 25;
const MESSAGES = 60;

/** A migrated database with the rows of one tenant, which plain SQL can be sent to. */
export interface CheckDatabase {
  readonly database: BenchDatabase;
  readonly fixture: Fixture;
  /** Those of the user from the newest to the oldest; the oldest has no messages. */
  readonly conversations: readonly string[];
  readonly query: (sql: string, ...values: string[]) => Promise<Record<string, unknown>[]>;
  readonly close: () => Promise<void>;
}

/** A new file with no peer's connection open yet. */
export async function openSqliteDatabase(): Promise<CheckDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-peers-'));
  const database: BenchDatabase = {
    engine: 'sqlite',
    address: join(folder, 'peers.sqlite'),
    durable: true,
    callers: 1,
  };
  const furnished = await furnish(database, `sqlite:${database.address}`);
  const client = openSqlite(database);
  return {
    database,
    ...furnished,
    query: async (sql, ...values) =>
      client.prepare(sql.replaceAll(/\$\d/g, '?')).all(...values) as Record<string, unknown>[],
    close: async () => {
      client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A new database on the server, which is dropped again. */
export async function openPostgreSqlDatabase(): Promise<CheckDatabase> {
  const name = `colloquy_peers_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(POSTGRESQL);
  const server = openPool({ engine: 'postgresql', address: url.href, durable: true, callers: 1 });
  await server.query(`create database ${name}`);
  url.pathname = `/${name}`;
  const database: BenchDatabase = { engine: 'postgresql', address: url.href, durable: true, callers: 8 };
  url.searchParams.set('rowLevelSecurity', 'false');
  const furnished = await furnish(database, url.href);
  const client = openPool({ ...database, callers: 1 });
  return {
    database,
    ...furnished,
    query: async (sql, ...values) => (await client.query<Record<string, unknown>>(sql, values)).rows,
    close: async () => {
      await client.end();
      await server.query(`drop database ${name} with (force)`);
      await server.end();
    },
  };
}

async function furnish({ engine }: BenchDatabase, databaseUrl: string) {
  await using persistence = await PersistenceManager.open({ databaseUrl });
  const { id: tenantId } = await persistence.tenants.ensure({ slug: 'peers', name: 'Peers' });
  const tenant = persistence.tenant('peers');
  const { id: userId } = await tenant.users.create({ externalId: engine, username: engine });
  const conversations: string[] = [];
  for (let number = 0; number < CONVERSATIONS; number += 1) {
    conversations.unshift((await tenant.conversations.start({ userId, title: `No. ${String(number)}` })).id);
  }
  const messageIds: string[] = [];
  const chats = conversations.slice(0, 2);
  for (const chat of chats) {
    for (let number = 0; number < MESSAGES; number += 1) {
      const content = `message ${String(number)}`;
      messageIds.push((await tenant.messages.append(chat, { role: 'user', content, tokenCount: 3 })).id);
    }
  }
  const { ids } = persistence.sources;
  const nextId = () => ids.next();
  const fixture: Fixture = { tenantId, userId, chats, messageIds, contents: ['hello', '你好'], nextId };
  return { fixture, conversations };
}
