import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type Engine, EVERY_TENANT } from '../database/engine.js';
import { entities } from '../entities/index.js';
import { compiledTableOf } from '../repositories/compiled-table.js';
import { connectionOf, runStatement } from '../repositories/statement.js';
import type { Transactions } from './transactions.js';

export interface Stats {
  /** The database for people, without secrets. */
  readonly database: string;
  /** Of the whole database, in bytes. */
  readonly databaseBytes: number;
  /** Rows by table; of one tenant where one was asked for. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Counts rows. With a tenant it counts that tenant's rows alone, the tenant itself included. */
export async function readStats(transactions: Transactions, engine: Engine, tenantId?: string): Promise<Stats> {
  const rows = await transactions.read(tenantId, ({ em }) =>
    countRows(tenantId === undefined ? unlimited(em) : em, tenantId),
  );
  const databaseBytes = await transactions.read(undefined, ({ em }) => engine.databaseSize(em));
  return { database: engine.description, databaseBytes, rows };
}

/** The same transaction, if there is one, and every tenant's rows, also where the database would show none without a tenant. */
function unlimited(em: SqlEntityManager): SqlEntityManager {
  const fork = em.fork({ keepTransactionContext: true });
  connectionOf(fork).limit?.(fork, EVERY_TENANT);
  return fork;
}

async function countRows(em: SqlEntityManager, tenantId: string | undefined): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for (const entity of entities as readonly EntityClass<object>[])
    rows[em.getMetadata().get(entity).tableName] = await count(em, entity, tenantId);
  return rows;
}

async function count(em: SqlEntityManager, entity: EntityClass<object>, tenantId: string | undefined) {
  const table = compiledTableOf(em, entity);
  const key = em.getMetadata().get(entity).compositePK ? 'tenantId' : 'id';
  const where = tenantId === undefined ? '' : ` where ${table.column(key)} = ?`;
  const sql = `select count(*) as total from ${table.name}${where}`;
  const [row] = await runStatement<{ total: number | string }>(em, sql, tenantId === undefined ? [] : [tenantId]);
  return Number(row?.total ?? 0);
}
