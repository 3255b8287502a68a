import type { AbstractSqlConnection, SqlEntityManager } from '@mikro-orm/sql';
import type { BulkConnection } from '../database/engine.js';

/** An entity manager that takes statements from nobody but the library, whose statements name the tenant themselves. */
export interface StatementRunner {
  runStatement<Result>(sql: string, values: readonly unknown[], method: 'all' | 'run'): Promise<Result>;
}

/** Runs a statement of the library's own, in the entity manager's transaction where there is one; `?` stands for each value. */
export async function runStatement<Row extends object>(
  em: SqlEntityManager,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return runnerOf(em).runStatement<Row[]>(sql, values, 'all');
}

/** {@link runStatement} for an update without rows to return; gives how many rows it found. */
export async function runUpdate(em: SqlEntityManager, sql: string, values: readonly unknown[]): Promise<number> {
  return (await runnerOf(em).runStatement<{ readonly affectedRows: number }>(sql, values, 'run')).affectedRows;
}

/** The engine's connection itself, which the entity manager of a tenant does not hand out. */
export function connectionOf(em: SqlEntityManager): AbstractSqlConnection & BulkConnection {
  return em.getDriver().getConnection() as AbstractSqlConnection & BulkConnection;
}

function runnerOf(em: SqlEntityManager): StatementRunner {
  return em as unknown as StatementRunner;
}
