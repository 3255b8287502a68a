/**
 * SQL of the library's own whose text never changes, `?` standing for each value. An engine prepares it once, and knows it again by
 * this object.
 */
export class FixedStatement {
  readonly sql: string;

  constructor(sql: string) {
    this.sql = sql;
  }
}

/** A row as the driver gives it, by the names of the statement's columns; it belongs to whoever receives it. */
export type RawRow = Record<string, unknown>;

/** One statement of a plan. */
export interface Step {
  readonly statement: FixedStatement;
  /** As MikroORM's types make them; the engine binds what its driver takes. */
  readonly values: readonly unknown[];
  /** It selects one row at most. */
  readonly isOne?: boolean;
  /** How many rows it selects at most, where that is known and it is not one. */
  readonly mostRows?: number;
  /** What is to be written is whole with it: an engine may commit here, and run what follows by itself. */
  readonly commits?: boolean;
  /** The id of the row that it locks first. Whatever else goes with it is put in the order of these, so that no two wait for each other. */
  readonly locks?: string;
}

/**
 * A use of the database as a sequence of statements, each of which may depend on the rows of the one before. It knows nothing of
 * transactions and waits for nothing by itself, so an embedded engine can run it in one go, a server's driver step by step, and a unit
 * of work among its own statements. It hears of no error: one ends it.
 */
export type Plan<Result> = Generator<Step, Result, readonly RawRow[]>;

/** Makes a plan; a plan that met a conflict is made again. */
export type Planned<Result> = () => Plan<Result>;

/** Runs plans beside the ORM, where no unit of work is running: a hot path costs little more than its statements. */
export interface PlanRunner {
  /** Whether one transaction takes the writes that wait at the same time, also those of one row, so that none waits for another's lock. */
  readonly commitsTogether: boolean;
  /** Runs what only reads. No transaction spans its steps. A result that can be had at once is no promise. */
  read<Result>(plan: Planned<Result>, tenantId: string): Result | Promise<Result>;
  /**
   * Runs it in a transaction of its own, which is committed when the result is there; nothing of it stays when it throws. It may be
   * committed together with others'.
   */
  write<Result>(plan: Planned<Result>, tenantId: string): Promise<Result>;
}

/** Runs a plan whose statements are answered later. */
export async function runPlan<Result>(
  plan: Plan<Result>,
  send: (step: Step) => Promise<readonly RawRow[]>,
): Promise<Result> {
  let { done, value } = plan.next();
  while (!done) ({ done, value } = plan.next(await send(value as Step)));
  return value as Result;
}

/** Runs a plan whose statements are answered at once. */
export function runPlanAtOnce<Result>(plan: Plan<Result>, send: (step: Step) => readonly RawRow[]): Result {
  let { done, value } = plan.next();
  while (!done) ({ done, value } = plan.next(send(value as Step)));
  return value as Result;
}
