import type { Transaction } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { type Plan, type Planned, type PlanRunner, type RawRow, runPlan } from './plan.js';

/** Runs plans as MikroORM's connection runs any statement, for an engine whose driver offers nothing faster. */
export class ConnectionPlans implements PlanRunner {
  readonly commitsTogether = false;
  readonly #connection: AbstractSqlConnection;
  readonly #convertError: (error: Error) => Error;

  constructor(connection: AbstractSqlConnection, convertError: (error: Error) => Error) {
    this.#connection = connection;
    this.#convertError = convertError;
  }

  async read<Result>(plan: Planned<Result>): Promise<Result> {
    return this.#run(plan());
  }

  async write<Result>(plan: Planned<Result>): Promise<Result> {
    return this.#connection.transactional((transaction) => this.#run(plan(), transaction));
  }

  /** Each statement by itself where there is no transaction. */
  async #run<Result>(plan: Plan<Result>, transaction?: Transaction): Promise<Result> {
    return runPlan(plan, async ({ statement, values }) => {
      const run = this.#connection.execute<RawRow[] | object>(statement.sql, [...values], 'all', transaction);
      const rows = await run.catch((error: Error) => {
        throw this.#convertError(error);
      });
      // What selects nothing is answered otherwise.
      return Array.isArray(rows) ? rows : [];
    });
  }
}
