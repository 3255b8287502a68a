import type { SqlEntityManager } from '@mikro-orm/sql';
import type { BulkConnection } from '../database/engine.js';
import { type Planned, type RawRow, runPlan } from '../database/plan.js';
import { tenantIdOf } from '../entities/tenant-limit.js';

/** An entity manager that takes statements from nobody but the library, whose statements name the tenant themselves. */
export interface StatementRunner {
  runStatement<Row extends object>(sql: string, values: readonly unknown[]): Promise<Row[]>;
  runUpdate(sql: string, values: readonly unknown[]): Promise<{ readonly affectedRows: number }>;
}

/** Runs a statement of the library's own, in the entity manager's transaction where there is one; `?` stands for each value. */
export async function runStatement<Row extends object>(
  em: SqlEntityManager,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return (em as SqlEntityManager & StatementRunner).runStatement<Row>(sql, values);
}

/** The engine's connection itself, which the entity manager of a tenant does not hand out. */
export function connectionOf(em: SqlEntityManager): BulkConnection {
  return em.getDriver().getConnection() as unknown as BulkConnection;
}

/** Runs an update of the library's own, and tells how many rows it found. */
export async function runUpdate(
  em: SqlEntityManager,
  sql: string,
  values: readonly unknown[],
): Promise<{ readonly affectedRows: number }> {
  return (em as SqlEntityManager & StatementRunner).runUpdate(sql, values);
}

/** Runs a plan over the rows of the entity manager's tenant, in its transaction where there is one. */
export async function runPlanIn<Result>(em: SqlEntityManager, plan: Planned<Result>): Promise<Result> {
  if (!em.isInTransaction()) return connectionOf(em).plans.read(plan, tenantIdOf(em));
  return runPlan(plan(), async ({ statement, values }) => {
    const rows = await runStatement<RawRow>(em, statement.sql, values);
    // What selects nothing is answered otherwise by some drivers.
    return Array.isArray(rows) ? rows : [];
  });
}
