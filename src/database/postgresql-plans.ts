import type { Pool, PoolClient } from 'pg';
import type { PreparingClient } from './postgresql-client.js';
import type { FixedStatement, Planned, PlanRunner, RawRow, Step } from './plan.js';
import type { BoundStatement } from './postgresql-query.js';
import { SharedTrips, tripOf } from './postgresql-trips.js';

/** What the runner needs of the connection. */
export interface PostgreSqlPlanAccess {
  readonly pool: () => Pool;
  /** The statement's text with PostgreSQL's placeholders, under the name by which the server may keep it. */
  readonly prepare: (statement: FixedStatement) => Omit<BoundStatement, 'values'>;
  /** A value as the text, or the bytes, that are sent. */
  readonly bind: (value: unknown) => unknown;
  /** What limits the statements after it to a tenant's rows; undefined where nothing does. */
  readonly limitTo: (tenantId: string) => BoundStatement | undefined;
  /** What the error of a statement is told as. */
  readonly convertError: (error: Error, isOfLimit: boolean) => Error;
  readonly parserOf: (typeId: number) => (text: string) => unknown;
  /** Runs `send` and logs what it sent. */
  readonly traced: <Result>(sql: string, send: () => Promise<Result>) => Promise<Result>;
}

/**
 * Runs plans on connections of the pool: each statement is one round trip, with the limit to the tenant's rows and the commit in it; those
 * of many callers that commit by themselves share trips.
 */
export class PostgreSqlPlans implements PlanRunner {
  readonly commitsTogether = false;
  readonly #access: PostgreSqlPlanAccess;
  /** Apart from each other, so that no read waits for a row that is locked. */
  readonly #reads: SharedTrips;
  readonly #writes: SharedTrips;

  constructor(access: PostgreSqlPlanAccess) {
    this.#access = access;
    this.#reads = new SharedTrips(access);
    this.#writes = new SharedTrips(access);
  }

  async read<Result>(plan: Planned<Result>, tenantId: string): Promise<Result> {
    const running = plan();
    // What asks for nothing needs no connection.
    let { done, value } = running.next();
    while (!done) ({ done, value } = running.next(await this.#reads.send(value as Step, tenantId)));
    return value as Result;
  }

  async write<Result>(plan: Planned<Result>, tenantId: string): Promise<Result> {
    const running = plan();
    let { done, value } = running.next();
    while (!done && (value as Step).commits) {
      ({ done, value } = running.next(await this.#writes.send(value as Step, tenantId)));
    }
    if (done) return value as Result;
    const client = await this.#access.pool().connect();
    try {
      await client.query('begin');
      while (!done) ({ done, value } = running.next(await this.#send(client, value as Step, tenantId)));
      await client.query('commit');
      return value as Result;
    } catch (error) {
      // A connection that cannot is closed by it.
      await client.query('rollback').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }

  #send(client: PoolClient, step: Step, tenantId: string): Promise<readonly RawRow[]> {
    const query = tripOf(this.#access, [{ step, tenantId }], false);
    return this.#access.traced(step.statement.sql, async () => {
      const [rows = []] = await (client as unknown as PreparingClient).send(query);
      return rows;
    });
  }
}
