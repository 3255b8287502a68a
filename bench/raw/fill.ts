import Database from 'better-sqlite3';
import { Client } from 'pg';
import type { Opened } from '../arenas.js';

const MESSAGES = 100;
/** Of one transaction. */
const CONVERSATIONS = 10_000;

/** A database that is filled by statements of the server itself, which need no time of ours. */
export interface Fill {
  readonly tenantId: string;
  readonly userId: string;
  /** Makes an id (UUIDv7). */
  readonly nextId: () => string;
  /** Adds conversations until there are so many messages. */
  to(messages: number): Promise<void>;
  /** A conversation at a place from 0 to 1 of all that there are. */
  conversationAt(place: number): string;
  messageAt(place: number): string;
}

type Run = (sql: string) => Promise<void>;

/** The nth id in the order of time, as UUIDv7 are: SQL of `number`, and the same here. */
function idOf(prefix: string, number: number): string {
  return `${prefix}-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

interface Dialect {
  readonly run: Run;
  readonly close: () => Promise<void>;
  /** The numbers of a range as a table `numbers` with a column `n`, for the front of a statement. */
  readonly numbers: (from: number, to: number) => string;
  readonly id: (prefix: string, number: string) => string;
  readonly now: string;
  readonly analyze: string;
}

async function onPostgreSql(address: string): Promise<Dialect> {
  const client = new Client({ connectionString: address });
  await client.connect();
  // Who may leave foreign keys unlooked at saves half the time; they hold by how the rows are made.
  await client.query('set session_replication_role = replica').catch(() => undefined);
  return {
    run: async (sql) => void (await client.query(sql)),
    close: () => client.end(),
    numbers: (from, to) => `with numbers as (select n from generate_series(${String(from)}, ${String(to)}) as n)`,
    id: (prefix, number) => `('${prefix}-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`,
    now: 'now()',
    analyze: 'vacuum analyze',
  };
}

async function onSqlite(address: string): Promise<Dialect> {
  const database = new Database(address);
  database.pragma('synchronous = off');
  database.pragma('cache_size = -262144');
  return {
    run: async (sql) => void database.exec(sql),
    close: async () => void database.close(),
    numbers: (from, to) =>
      `with recursive numbers (n) as (select ${String(from)} union all select n + 1 from numbers where n < ${String(to)})`,
    id: (prefix, number) => `('${prefix}-7000-8000-' || printf('%012x', ${number}))`,
    now: String(Date.now()),
    analyze: 'pragma wal_checkpoint(truncate)',
  };
}

const CHAT = '01900000-0000';
const MESSAGE = '01900000-0001';

/** The number of what is at a place from 0 to 1 of so many. */
function at(place: number, count: number): number {
  return Math.min(Math.floor(place * count), count - 1) + 1;
}

/** Opens a tenant with one user, who has all conversations; more are added by {@link Fill.to}. */
export async function fillByGrowth({ persistence, database }: Opened): Promise<Fill> {
  const { id: tenantId } = await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
  const { id: userId } = await persistence.tenant('bench').users.create({ externalId: 'user', username: 'bench' });
  let conversations = 0;
  const add = async ({ run, numbers, id, now }: Dialect, until: number): Promise<void> => {
    const range = numbers(conversations + 1, until);
    const chat = id(CHAT, 'n');
    await run(
      `insert into conversations (tenant_id, id, created_at, updated_at, user_id, metadata, message_count, token_count, status, version)
       ${range} select '${tenantId}', ${chat}, ${now}, ${now}, '${userId}', '{}', ${String(MESSAGES)}, 0, 'active', 1 from numbers`,
    );
    const first = conversations * MESSAGES + 1;
    const message = id(MESSAGE, 'n');
    const own = id(CHAT, `((n - 1) / ${String(MESSAGES)} + 1)`);
    await run(
      `insert into messages (tenant_id, id, created_at, updated_at, conversation_id, seq, role, content, modality, token_count)
       ${numbers(first, until * MESSAGES)} select '${tenantId}', ${message}, ${now}, ${now}, ${own}, (n - 1) % ${String(MESSAGES)} + 1, 'user',
         'How long does it take until the parcel ' || n || ' is here, and who pays for it?', 'text', 21 from numbers`,
    );
    conversations = until;
  };
  return {
    tenantId,
    userId,
    nextId: () => persistence.sources.ids.next(),
    async to(messages) {
      const dialect = await (database.engine === 'sqlite'
        ? onSqlite(database.address)
        : onPostgreSql(database.address));
      const wanted = messages / MESSAGES;
      for (let next = conversations; next < wanted; next += CONVERSATIONS) {
        await add(dialect, Math.min(next + CONVERSATIONS, wanted));
      }
      await dialect.run(dialect.analyze);
      await dialect.close();
    },
    conversationAt: (place) => idOf(CHAT, at(place, conversations)),
    messageAt: (place) => idOf(MESSAGE, at(place, conversations * MESSAGES)),
  };
}
