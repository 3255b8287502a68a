import type { Pool, PoolClient } from 'pg';
import type { PreparingClient } from './postgresql-client.js';
import { type FixedStatement, type Planned, type PlanRunner, type RawRow, runPlan, type Step } from './plan.js';
import { type BoundStatement, OneTripQuery } from './postgresql-query.js';

/** What the runner needs of the connection. */
export interface PostgreSqlPlanAccess {
  readonly pool: () => Pool;
  /** The statement's text with PostgreSQL's placeholders, under the name by which the server may keep it. */
  readonly prepare: (statement: FixedStatement) => Omit<BoundStatement, 'values'>;
  readonly bind: (value: unknown) => unknown;
  /** What limits the statements after it to a tenant's rows; undefined where nothing does. */
  readonly limitTo: (tenantId: string) => BoundStatement | undefined;
  /** What the error of a statement is told as. */
  readonly convertError: (error: Error, isOfLimit: boolean) => Error;
  readonly parserOf: (typeId: number) => (text: string) => unknown;
  /** Runs `send` and logs what it sent. */
  readonly traced: <Result>(sql: string, send: () => Promise<Result>) => Promise<Result>;
}

/** Runs plans on connections of the pool: each statement is one round trip, with the limit to the tenant's rows and the commit in it. */
export class PostgreSqlPlans implements PlanRunner {
  readonly commitsTogether = false;
  readonly #access: PostgreSqlPlanAccess;

  constructor(access: PostgreSqlPlanAccess) {
    this.#access = access;
  }

  async read<Result>(plan: Planned<Result>, tenantId: string): Promise<Result> {
    return this.#connected((client) => runPlan(plan(), (step) => this.#send(client, step, tenantId)));
  }

  async write<Result>(plan: Planned<Result>, tenantId: string): Promise<Result> {
    return this.#connected(async (client) => {
      let isOpen = false;
      const send = async (step: Step): Promise<readonly RawRow[]> => {
        if (!step.commits && !isOpen) {
          await client.query('begin');
          isOpen = true;
        }
        return this.#send(client, step, tenantId, !isOpen);
      };
      try {
        const result = await runPlan(plan(), send);
        if (isOpen) await client.query('commit');
        return result;
      } catch (error) {
        // A connection that cannot is closed by it.
        if (isOpen) await client.query('rollback').catch(() => undefined);
        throw error;
      }
    });
  }

  async #connected<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#access.pool().connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  }

  async #send(
    client: PoolClient,
    { statement, values }: Step,
    tenantId: string,
    commits = false,
  ): Promise<readonly RawRow[]> {
    const { prepare, bind, limitTo, parserOf, traced, convertError } = this.#access;
    const bound = { ...prepare(statement), values: values.map(bind) };
    const query = new OneTripQuery(bound, limitTo(tenantId), parserOf);
    try {
      return await traced(statement.sql, () => (client as unknown as PreparingClient).send(query, commits));
    } catch (error) {
      throw convertError(error as Error, query.failedFirst);
    }
  }
}
