import { existsSync } from 'node:fs';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { PrismaPg } from '@prisma/adapter-pg';
import type { PrismaClient } from '../node_modules/.prisma-client/postgresql/client.mjs';
import type { BenchDatabase, NewMessage, OpenSide } from '../side.js';
import { synchronousOf } from './connections.js';
import { generatePrismaClients } from './prisma-generate.js';
import { appendOnce, noTenant, rowChunks, rowOf, tokensOf } from './writing.js';

/** The client of an engine, made when first wanted. Those of both engines have one type but for their provider. */
async function clientClass(engine: BenchDatabase['engine']): Promise<typeof PrismaClient> {
  const folder = new URL(`../node_modules/.prisma-client/${engine}/`, import.meta.url);
  if (!existsSync(folder)) generatePrismaClients();
  const module = (await import(new URL('client.mts', folder).href)) as { PrismaClient: typeof PrismaClient };
  return module.PrismaClient;
}

async function connect({ engine, address, durable, callers }: BenchDatabase): Promise<PrismaClient> {
  const Client = await clientClass(engine);
  if (engine !== 'sqlite') {
    return new Client({ adapter: new PrismaPg({ connectionString: address, max: callers }) });
  }
  const url = `file:${address}`;
  const client = new Client({
    adapter: new PrismaBetterSqlite3({ url, timeout: 5_000 }, { timestampFormat: 'unixepoch-ms' }),
  });
  // One connection, so it is this one's setting; foreign keys are on in this driver.
  for (const pragma of ['journal_mode = wal', `synchronous = ${synchronousOf(durable)}`]) {
    await client.$queryRawUnsafe(`pragma ${pragma}`);
  }
  return client;
}

type Queries = Pick<PrismaClient, 'tenant' | 'conversation' | 'message'>;

async function assertTenant({ tenant }: Queries, id: string): Promise<void> {
  const active = await tenant.findUnique({ where: { id, status: 'active' }, select: { id: true } });
  if (!active) throw noTenant(id);
}

/** Locks the conversation, counts messages that are about to be written, and gives how many there are with them. */
async function raise(
  { conversation }: Queries,
  { tenantId, conversationId: id }: NewMessage,
  count: number,
  tokens: number,
  now: Date,
): Promise<number> {
  const raised = await conversation.update({
    where: { tenantId_id: { tenantId, id }, status: 'active' },
    data: {
      messageCount: { increment: count },
      tokenCount: { increment: tokens },
      lastMessageAt: now,
      updatedAt: now,
    },
    select: { messageCount: true },
  });
  return Number(raised.messageCount);
}

const findByKey = async ({ message }: Queries, { tenantId, idempotencyKey }: NewMessage) =>
  message.findUnique({ where: { tenantId_idempotencyKey: { tenantId, idempotencyKey } } });

async function append(db: Queries, added: NewMessage) {
  await assertTenant(db, added.tenantId);
  const first = await findByKey(db, added);
  if (first) return first;
  const now = new Date();
  return db.message.create({ data: rowOf(added, await raise(db, added, 1, added.tokenCount, now), now) });
}

async function bulk(db: Queries, added: readonly NewMessage[]): Promise<void> {
  const [first] = added;
  if (!first) return;
  const now = new Date();
  await assertTenant(db, first.tenantId);
  const last = (await raise(db, first, added.length, tokensOf(added), now)) - added.length;
  for (const data of rowChunks(added, last, now)) await db.message.createMany({ data });
}

/** Prisma with its adapters for better-sqlite3 and `pg`. */
export const open: OpenSide = async (database, { tenantId, userId }) => {
  const client = await connect(database);
  return {
    append: async (message) =>
      appendOnce(
        async () => client.$transaction(async (tx) => append(tx, message)),
        async () => findByKey(client, message),
      ),
    last50: async (conversationId) => {
      const where = { tenantId, conversationId };
      return (await client.message.findMany({ where, orderBy: { seq: 'desc' }, take: 50 })).toReversed();
    },
    byId: async (id) => client.message.findUnique({ where: { tenantId_id: { tenantId, id } } }),
    list: async () => client.conversation.findMany({ where: { tenantId, userId }, orderBy: { id: 'desc' }, take: 21 }),
    // Many rows may take longer than the 5 seconds that a transaction has unless told.
    bulk: async (messages) => client.$transaction(async (tx) => bulk(tx, messages), { timeout: 600_000 }),
    close: async () => client.$disconnect(),
  };
};
