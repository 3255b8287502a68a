import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type EntityClass,
  IsolationLevel,
  OptimisticLockError,
  type Transaction,
  type TransactionOptions,
  wrap,
} from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Engine } from '../database/engine.js';
import { listenToStatements } from '../database/statement-listener.js';
import { TENANT_FILTER } from '../entities/tenant-limit.js';
import {
  DatabaseReadOnlyError,
  OutcomeUnknownError,
  TransactionConflictError,
  UnitOfWorkEndedError,
  VersionConflictError,
} from '../errors.js';
import { type Change, listenToChanges } from '../repositories/change-capture.js';
import { runPlanIn, runStatement } from '../repositories/statement.js';
import { runtimeOf } from '../runtime.js';
import type { Language } from '../messages/catalog.js';
import { Calls } from './calls.js';
import type { CommitListener } from './commit-listener.js';
import { PlanCalls } from './plan-calls.js';
import { Replicas } from './replicas.js';
import type { TenantEntityManager } from './tenant-entity-manager.js';
import { TenantWrite } from './tenant-write.js';
import { UnitOfWork } from './unit-of-work.js';

/** A transaction that several units of work may share. */
interface SharedTransaction {
  hasEnded: boolean;
  /** What makes it impossible to commit, whoever has caught it since. */
  failure?: unknown;
  savepoints: number;
  /** What it has written, as far as it was not taken back or even so. */
  readonly changes: Change[];
  /** Those whose rows may be written, by their ids; undefined where the rules of tenants do not hold. */
  readonly tenants: Map<string, TenantWrite> | undefined;
}

/** A unit of work, and the transaction that it shares with those that joined it. */
interface Running {
  readonly tenantId: string | undefined;
  readonly unit: UnitOfWork;
  readonly transaction: SharedTransaction;
  /** Resolves when those that joined so far have ended: one connection has one savepoint open at a time. */
  turn: Promise<unknown>;
}

export interface WriteOptions {
  /** Writes whatever the tenant's state and quota are, as a copy of its database does; false unless given. */
  readonly asOperator?: boolean;
  /** Whether it may run again after it was committed, as under an idempotency key: the second run finds what the first wrote. */
  readonly isRepeatable?: boolean;
}

export interface ReadOptions {
  /** Reads from a replica, which may lag behind, where there is one and no transaction is running; false unless given. */
  readonly replica?: boolean;
}

/** How often a unit of work is begun when it meets concurrent ones, and the longest wait before the second time, in milliseconds. */
const ATTEMPTS_MAX = 8;
const FIRST_WAIT_MAX = 10;

/** How a statement begins that certainly writes nothing. */
const READING = /^\s*(?:select|show|explain|pragma|savepoint|release)\b/i;

const SNAPSHOT: TransactionOptions = { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true };

/**
 * Opens units of work. One that begins inside another joins its transaction: an embedded database has one connection, and a pool
 * may have none left, so waiting for a second one inside a transaction could wait for ever.
 */
export class Transactions {
  /** The calls that need no unit of work. */
  readonly plans: PlanCalls;
  readonly #em: SqlEntityManager;
  readonly #engine: Engine;
  readonly #replicas: Replicas;
  readonly #calls: Calls;
  readonly #commits: CommitListener;
  readonly #running = new AsyncLocalStorage<Running>();
  /** The read of a replica that is running: nothing can be written inside it, whatever answers it. */
  readonly #replicaRead = new AsyncLocalStorage<{ hasEnded: boolean }>();
  /** What is known of the work that is running with an entity manager which no tenant limits. */
  readonly #bare = new AsyncLocalStorage<{ any: boolean }>();
  /** Whether a unit of work that only reads is running, and none inside it that writes. */
  readonly #reading = new AsyncLocalStorage<boolean>();

  constructor(em: SqlEntityManager, engine: Engine, language: Language, commits: CommitListener) {
    this.#em = em;
    this.#engine = engine;
    this.#commits = commits;
    this.#replicas = new Replicas(em, engine);
    this.#calls = new Calls(engine, language, () => this.#random());
    this.plans = new PlanCalls(em, this.#calls, {
      isInUnit: () => this.#outer() !== undefined,
      onlyReads: () => this.#reading.getStore() === true,
      read: (tenantId, plan) => this.read(tenantId, (unit) => runPlanIn(unit.em, plan)),
    });
    listenToStatements(em.config, (sql) => {
      const wrote = this.#bare.getStore();
      if (wrote && !READING.test(sql)) wrote.any = true;
    });
    listenToChanges(em, (change) => {
      // A flush of its own would go past the state of the tenant, and what it may have.
      if (this.#reading.getStore()) throw new DatabaseReadOnlyError('read');
      const transaction = this.#running.getStore()?.transaction;
      transaction?.changes.push(change);
      transaction?.tenants?.get(change.tenantId)?.note(change);
    });
  }

  /**
   * Runs `work` in a transaction over the tenant's rows; what it changed is written and committed when it resolves. On an engine
   * whose transactions can conflict it is run again, whole and from the beginning, when they did. So is one that `isRepeatable` when
   * nobody can tell whether it was committed, unless it has joined another: that one is not its own.
   *
   * @throws TenantSuspendedError, TenantDeletedError, QuotaExceededError
   */
  async write<T>(
    tenantId: string | undefined,
    work: (unit: UnitOfWork) => Promise<T>,
    { asOperator = false, isRepeatable = false }: WriteOptions = {},
  ): Promise<T> {
    return this.#guard(async () => {
      if (this.#replicaRead.getStore()?.hasEnded === false) throw new DatabaseReadOnlyError('replica read');
      const outer = this.#outer();
      if (outer) return this.#join(outer, tenantId, (unit) => this.#admitted(outer.transaction, tenantId, unit, work));
      const tenants = asOperator ? undefined : new Map<string, TenantWrite>();
      const attempt = async (): Promise<T> => this.#attemptAgain(tenantId, work, tenants);
      return isRepeatable ? this.#calls.repeat(attempt) : attempt();
    });
  }

  /** Attempts it until it meets no concurrent unit of work, or has met one too often. */
  async #attemptAgain<T>(
    tenantId: string | undefined,
    work: (unit: UnitOfWork) => Promise<T>,
    tenants: Map<string, TenantWrite> | undefined,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        tenants?.clear();
        return await this.#attempt(tenantId, work, {}, tenants);
      } catch (error) {
        const conflict = this.#engine.translateError(error) instanceof TransactionConflictError;
        if (!conflict || !this.#engine.retriesConflicts || attempt === ATTEMPTS_MAX) throw error;
        await delay(this.#jitter(attempt));
      }
    }
  }

  /**
   * Runs `work` in a transaction that only reads, and sees the database as it was at its first read; or in the one that is running.
   * An embedded database has one connection: other calls wait until `work` resolves.
   */
  async snapshot<T>(tenantId: string | undefined, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.#guard(async () => {
      const outer = this.#outer();
      return outer ? this.#join(outer, tenantId, work) : this.#attempt(tenantId, work, SNAPSHOT);
    });
  }

  async #attempt<T>(
    tenantId: string | undefined,
    work: (unit: UnitOfWork) => Promise<T>,
    options: TransactionOptions = {},
    tenants?: Map<string, TenantWrite>,
  ): Promise<T> {
    const changes: Change[] = [];
    try {
      // MikroORM works on a fork of its own, whose filter parameters are a copy.
      const fork = this.#fork(tenantId);
      const result = await fork.transactional((em) => this.#begun(em, tenantId, work, { tenants, changes }), options);
      await this.#commits.publish(changes);
      return result;
    } catch (error) {
      if (this.#engine.translateError(error) instanceof OutcomeUnknownError) await this.#commits.doubt(changes);
      throw error;
    }
  }

  /** Runs `work` in the transaction of an entity manager, for others to join. */
  async #begun<T>(
    em: SqlEntityManager,
    tenantId: string | undefined,
    work: (unit: UnitOfWork) => Promise<T>,
    { tenants, changes }: Pick<SharedTransaction, 'tenants' | 'changes'> = { tenants: undefined, changes: [] },
  ): Promise<T> {
    const transaction: SharedTransaction = { hasEnded: false, savepoints: 0, tenants, changes };
    const unit = new UnitOfWork(em);
    const running: Running = { tenantId, unit, transaction, turn: Promise.resolve() };
    const begun = async (): Promise<T> => {
      try {
        const result = await this.#admitted(transaction, tenantId, unit, work);
        if (transaction.failure !== undefined) throw transaction.failure;
        if (!tenants || tenants.size === 0) return result;
        transaction.hasEnded = true;
        await unit.flush();
        for (const [id, tenant] of tenants) await tenant.settle(this.#viewOf(running, id).em, id);
        return result;
      } finally {
        transaction.hasEnded = true;
      }
    };
    return this.#reading.run(false, () => this.#running.run(running, begun));
  }

  /** Runs `work`, which writes rows of the tenant, if these may be written. */
  async #admitted<T>(
    { tenants }: SharedTransaction,
    tenantId: string | undefined,
    unit: UnitOfWork,
    work: (unit: UnitOfWork) => Promise<T>,
  ): Promise<T> {
    if (!tenants || tenantId === undefined || tenants.has(tenantId)) return work(unit);
    tenants.set(tenantId, await TenantWrite.begin(unit.em, tenantId));
    try {
      return await work(unit);
    } catch (error) {
      // What holds the tenant as it is was taken back, if the work was a part of a transaction.
      tenants.delete(tenantId);
      throw error;
    }
  }

  /** Looks up what the row is now that somebody else has changed, for whoever lost the race. */
  async #tell(error: unknown): Promise<unknown> {
    const entity = error instanceof OptimisticLockError ? error.getEntity() : undefined;
    if (!entity) return error;
    const key = wrap(entity, true).getPrimaryKeys() as string[];
    const em = this.#fork(key.length > 1 ? key[0] : undefined);
    const row = await em.findOne(entity.constructor as EntityClass<object>, key);
    const version = (row as { version?: number } | null)?.version;
    return new VersionConflictError(entity.constructor.name, key.at(-1) ?? '', version, { cause: error });
  }

  /** Up to a limit that doubles each time, so that those who met do not meet again. */
  #jitter(attempt: number): number {
    return FIRST_WAIT_MAX * 2 ** (attempt - 1) * this.#random();
  }

  #random(): number {
    const [byte = 0] = runtimeOf(this.#em).random.bytes(1);
    return (byte + 1) / 256;
  }

  /**
   * Runs `work` without a transaction of its own, or in the one that is running and sees what that has written. A read of a replica has
   * a transaction there, so that whatever is called inside it reads there too.
   */
  async read<T>(
    tenantId: string | undefined,
    work: (unit: UnitOfWork) => Promise<T>,
    { replica = false }: ReadOptions = {},
  ): Promise<T> {
    if (replica) return this.#readReplica(tenantId, work);
    return this.#guard(async () => {
      const outer = this.#outer();
      if (outer) return this.#join(outer, tenantId, work);
      try {
        return await this.#reading.run(true, () => work(new UnitOfWork(this.#fork(tenantId))));
      } catch (error) {
        throw this.#calls.ofRead(error);
      }
    });
  }

  async #readReplica<T>(tenantId: string | undefined, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    const read = { hasEnded: false };
    return this.#guard(() =>
      this.#replicaRead.run(read, async () => {
        try {
          // An engine without replicas, or a transaction that is running, reads as it always does.
          if (this.#outer() || !this.#engine.takesReplicas) return await this.read(tenantId, work);
          const session = this.#fork(tenantId).getSessionContext();
          return await this.#replicas.read(session, (transaction) => {
            const em = this.#fork(tenantId);
            em.setTransactionContext(transaction);
            return this.#begun(em, tenantId, work);
          });
        } finally {
          read.hasEnded = true;
        }
      }),
    );
  }

  /** Runs `work` with a fresh entity manager that no tenant limits, and no transaction: MikroORM itself. */
  async bare<T>(work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    const wrote = { any: false };
    return this.#guard(async () => {
      try {
        return await this.#reading.run(false, () => this.#bare.run(wrote, () => work(this.#fork(undefined))));
      } finally {
        // SQL does not say whose rows it has reached.
        if (wrote.any) await this.#commits.publishAll();
      }
    });
  }

  /** Refuses new calls and resolves when those under way have ended. */
  async drain(): Promise<void> {
    if (this.#outer()) throw new TypeError('close() inside a unit of work would wait for itself.');
    await this.#calls.close();
  }

  #outer(): Running | undefined {
    const running = this.#running.getStore();
    // Work that outlives its transaction, because nobody awaited it, gets one of its own.
    return running?.transaction.hasEnded ? undefined : running;
  }

  /**
   * Runs `work` in the transaction of `outer`, after those that joined it before. When it fails, what it wrote is taken back and the
   * rest of the transaction stays, on every engine: some would otherwise refuse whatever comes after a failed statement.
   */
  async #join<T>(outer: Running, tenantId: string | undefined, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    const turn = outer.turn.then(async () => {
      try {
        if (outer.transaction.failure !== undefined) throw outer.transaction.failure;
        await outer.unit.flush();
        return await this.#withSavepoint(outer, () => this.#joined(outer, tenantId, work));
      } catch (error) {
        if (outer.transaction.hasEnded) throw new UnitOfWorkEndedError({ cause: error });
        throw error;
      }
    });
    outer.turn = turn.catch(() => undefined);
    return turn;
  }

  async #withSavepoint<T>({ unit, transaction }: Running, work: () => Promise<T>): Promise<T> {
    transaction.savepoints += 1;
    const name = `colloquy_${String(transaction.savepoints)}`;
    await runStatement(unit.em, `savepoint ${name}`);
    try {
      const result = await work();
      await runStatement(unit.em, `release savepoint ${name}`);
      return result;
    } catch (error) {
      const isConflict = this.#engine.translateError(error) instanceof TransactionConflictError;
      // An engine may have taken the whole transaction back, and would commit what comes after as if nothing had been before.
      if (isConflict) transaction.failure ??= error;
      else await runStatement(unit.em, `rollback to savepoint ${name}`).catch(() => (transaction.failure ??= error));
      throw error;
    }
  }

  async #joined<T>(outer: Running, tenantId: string | undefined, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    const unit = this.#viewOf(outer, tenantId);
    const { transaction } = outer;
    const result = await this.#running.run({ tenantId, unit, transaction, turn: Promise.resolve() }, () => work(unit));
    await unit.flush();
    return result;
  }

  /** The unit of work of a transaction, or another one in it where that is not the tenant's. */
  #viewOf(outer: Running, tenantId: string | undefined): UnitOfWork {
    if (outer.tenantId === tenantId) return outer.unit;
    return new UnitOfWork(this.#fork(tenantId, outer.unit.em.getTransactionContext()));
  }

  #fork(tenantId: string | undefined, transaction?: Transaction): SqlEntityManager {
    // MikroORM would look for a transaction that is under way, and take another ORM's for it: a second manager's calls inside a
    // transaction of the first would go to the first one's database. Nor is it to be a fork of a unit of work, which is limited already.
    const em = this.#em.fork({ disableContextResolution: true });
    if (transaction) em.setTransactionContext(transaction);
    limit(em, tenantId);
    return em;
  }

  /** Counts the call as under way, and tells what the driver throws. */
  async #guard<T>(work: () => Promise<T>): Promise<T> {
    // A unit of work that began before may finish what it is doing.
    if (!this.#outer()) this.#calls.assertOpen();
    this.#calls.begin();
    try {
      return await work();
    } catch (error) {
      // Inside a transaction there may be no second connection to ask on.
      throw this.#calls.told(this.#outer() ? error : await this.#tell(error));
    } finally {
      this.#calls.end();
    }
  }
}

/** Without a tenant the filter has no parameter, and every query over tenant-owned rows throws. */
function limit(em: SqlEntityManager, tenantId: string | undefined): void {
  em.setFilterParams(TENANT_FILTER, tenantId === undefined ? {} : { tenantId });
  if (tenantId !== undefined) (em as unknown as TenantEntityManager).seal();
}
