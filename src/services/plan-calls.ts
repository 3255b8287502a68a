import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Planned, PlanRunner } from '../database/plan.js';
import { OutcomeUnknownError, TransactionConflictError } from '../errors.js';
import { type CompiledTable, compiledTableOf } from '../repositories/compiled-table.js';
import { hasLostKey, IDEMPOTENCY_KEY } from '../repositories/race.js';
import { connectionOf } from '../repositories/statement.js';
import type { Calls } from './calls.js';

/** What is running around a call. */
export interface Surroundings {
  readonly isInUnit: () => boolean;
  readonly onlyReads: () => boolean;
  /** Runs a plan in the unit of work that is running. */
  readonly read: <T>(tenantId: string, plan: Planned<T>) => Promise<T>;
}

/** The calls that run as plans beside the ORM, unless a unit of work is running: then they are a part of it. */
export class PlanCalls {
  readonly #em: SqlEntityManager;
  readonly #runner: PlanRunner;
  readonly #calls: Calls;
  readonly #around: Surroundings;

  constructor(em: SqlEntityManager, calls: Calls, around: Surroundings) {
    this.#em = em;
    this.#runner = connectionOf(em).plans;
    this.#calls = calls;
    this.#around = around;
  }

  /** Whether a unit of work is running, which calls are a part of. */
  get isInUnit(): boolean {
    return this.#around.isInUnit();
  }

  get isOpen(): boolean {
    return this.#calls.isOpen;
  }

  /** @throws PersistenceClosedError */
  assertOpen(): void {
    this.#calls.assertOpen();
  }

  /** What the caller is told of an error. */
  told(error: unknown): unknown {
    return this.#calls.told(error);
  }

  tableOf<Entity extends object>(entity: EntityClass<Entity>): CompiledTable<Entity> {
    return compiledTableOf(this.#em, entity);
  }

  /** Runs a plan that reads. */
  async read<T>(tenantId: string, plan: Planned<T>): Promise<T> {
    if (this.#around.isInUnit()) return this.#around.read(tenantId, plan);
    this.#calls.begin();
    try {
      this.#calls.assertOpen();
      const result = this.#runner.read(plan, tenantId);
      return result instanceof Promise ? await result : result;
    } catch (error) {
      throw this.#calls.told(this.#calls.ofRead(error));
    } finally {
      this.#calls.end();
    }
  }

  /**
   * Runs `alone`, which writes in a transaction of its own. `work`, the same as a unit of work, once, is run where one is running already, and
   * where `alone` gives undefined or has met a concurrent write: it has written nothing then. A write that `isRepeatable` is run again
   * when nobody can tell whether it was committed.
   */
  async write<T>(
    alone: () => Promise<T | undefined>,
    work: () => Promise<T>,
    { isRepeatable = false }: { readonly isRepeatable?: boolean | undefined } = {},
  ): Promise<T> {
    if (this.#around.isInUnit()) return work();
    // What only reads must be told that it may not write.
    if (this.#around.onlyReads()) return this.#run(work, isRepeatable);
    this.#calls.begin();
    try {
      this.#calls.assertOpen();
      const result = await alone();
      if (result !== undefined) return result;
    } catch (error) {
      const translated = this.#calls.translate(error);
      if (isRepeatable && translated instanceof OutcomeUnknownError) {
        const runs = [() => Promise.reject<T>(error)];
        return this.#repeat(() => (runs.pop() ?? work)());
      }
      const isConflict = translated instanceof TransactionConflictError || hasLostKey(error, IDEMPOTENCY_KEY);
      if (!isConflict) throw this.#calls.told(error);
    } finally {
      this.#calls.end();
    }
    return this.#run(work, isRepeatable);
  }

  #run<T>(work: () => Promise<T>, isRepeatable: boolean): Promise<T> {
    return isRepeatable ? this.#repeat(work) : work();
  }

  async #repeat<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await this.#calls.repeat(run);
    } catch (last) {
      throw this.#calls.told(last);
    }
  }
}
