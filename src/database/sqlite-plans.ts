import type Database from 'better-sqlite3';
import { type FixedStatement, type Planned, type PlanRunner, type RawRow, runPlanAtOnce, type Step } from './plan.js';

/** So many writes are committed together at most: other callers wait meanwhile. */
const TOGETHER_MAX = 128;

/** What the runner needs of the connection. */
export interface SqlitePlanAccess {
  readonly database: Database.Database;
  /** Whether nobody has a transaction or a stream open. */
  readonly isFree: () => boolean;
  /** Runs `work` while nobody else has the connection, and again while another process has the lock that it needs. */
  readonly alone: <Result>(work: () => Result) => Promise<Result>;
  readonly bind: (value: unknown) => unknown;
  readonly trace: (sql: string) => void;
  readonly convertError: (error: Error) => Error;
}

interface Waiting {
  readonly plan: Planned<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface Prepared {
  readonly native: Database.Statement;
  readonly selects: boolean;
}

type Outcome = { readonly result: unknown } | { readonly error: unknown };

/**
 * Runs plans on the native client, each in one go. Where a unit of work has the connection, they wait for it. Writes wait in one queue,
 * and those that wait at the same time are committed together: each has its own result or error, and is told after the commit, so that
 * a durable database forces the disk once for all of them (group commit).
 */
export class SqlitePlans implements PlanRunner {
  readonly commitsTogether = true;
  readonly #access: SqlitePlanAccess;
  readonly #prepared = new Map<FixedStatement, Prepared>();
  readonly #send = (step: Step): readonly RawRow[] => this.#run(step);
  readonly #waiting: Waiting[] = [];
  #isDraining = false;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #savepoint: Database.Statement;
  readonly #release: Database.Statement;
  readonly #takeBack: Database.Statement;

  constructor(access: SqlitePlanAccess) {
    this.#access = access;
    const { database } = access;
    this.#begin = database.prepare('begin immediate');
    this.#commit = database.prepare('commit');
    this.#savepoint = database.prepare('savepoint colloquy_plan');
    this.#release = database.prepare('release colloquy_plan');
    this.#takeBack = database.prepare('rollback to colloquy_plan');
  }

  read<Result>(plan: Planned<Result>): Result | Promise<Result> {
    if (this.#access.isFree()) {
      try {
        return runPlanAtOnce(plan(), this.#send);
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
    }
    return this.#access.alone(() => runPlanAtOnce(plan(), this.#send));
  }

  write<Result>(plan: Planned<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ plan, resolve: resolve as (result: unknown) => void, reject });
      if (this.#isDraining) return;
      this.#isDraining = true;
      // Whoever else goes on in this turn of the event loop, as those do whose writes have just been committed, is in time.
      void SOON.then(this.#drainSoon);
    });
  }

  readonly #drainSoon = (): void => void this.#drain();

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, TOGETHER_MAX);
      try {
        if (!this.#access.isFree() || !this.#writeAtOnce(batch)) await this.#access.alone(() => this.#write(batch));
      } catch (error) {
        // The transaction could not begin.
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isDraining = false;
  }

  /** Tells whether the lock could be had. */
  #writeAtOnce(batch: readonly Waiting[]): boolean {
    try {
      this.#write(batch);
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    }
  }

  /** @throws when the transaction cannot begin, and nobody has been told anything; whatever comes later is told. */
  #write(batch: readonly Waiting[]): void {
    this.#begin.run();
    // Most often nobody fails: only then a savepoint for each has to keep the others'.
    const outcomes = this.#commitAll(() => batch.map((waiting) => ({ result: this.#result(waiting) })));
    const [failed] = outcomes;
    if (failed && batch.length > 1 && outcomes.length === 1) {
      this.#begin.run();
      this.#tell(
        batch,
        this.#commitAll(() => batch.map((waiting) => this.#outcomeOf(waiting))),
      );
    } else this.#tell(batch, outcomes);
  }

  /** Commits what `work` does; one error for all where it throws, and nothing of it stays. */
  #commitAll(work: () => readonly Outcome[]): readonly Outcome[] {
    const { database } = this.#access;
    try {
      const outcomes = work();
      this.#commit.run();
      return outcomes;
    } catch (error) {
      if (database.inTransaction) database.exec('rollback');
      return [{ error }];
    }
  }

  #tell(batch: readonly Waiting[], outcomes: readonly Outcome[]): void {
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = (outcomes[index] ?? outcomes[0]) as Outcome;
      if ('error' in outcome) reject(outcome.error);
      else resolve(outcome.result);
    }
  }

  #outcomeOf(waiting: Waiting): Outcome {
    this.#savepoint.run();
    try {
      const result = this.#result(waiting);
      this.#release.run();
      return { result };
    } catch (error) {
      // SQLite takes everything back by itself when the disk is full or an I/O operation fails: then nobody has written anything.
      if (!this.#access.database.inTransaction) throw error;
      this.#takeBack.run();
      this.#release.run();
      return { error };
    }
  }

  #result({ plan }: Waiting): unknown {
    return runPlanAtOnce(plan(), this.#send);
  }

  #run({ statement, values, isOne }: Step): readonly RawRow[] {
    this.#access.trace(statement.sql);
    try {
      let prepared = this.#prepared.get(statement);
      if (!prepared) {
        const native = prepareOnce(this.#access.database, statement.sql);
        this.#prepared.set(statement, (prepared = { native, selects: native.reader }));
      }
      const bound = this.#bind(values);
      const { native } = prepared;
      if (prepared.selects && !isOne) return native.all(bound) as RawRow[];
      if (prepared.selects) {
        const row = native.get(bound) as RawRow | undefined;
        return row ? [row] : NO_ROWS;
      }
      native.run(bound);
      return NO_ROWS;
    } catch (error) {
      throw this.#access.convertError(error as Error);
    }
  }

  /** Most values are what the driver takes, and so most lists stay as they are. */
  #bind(values: readonly unknown[]): readonly unknown[] {
    for (const value of values) {
      if (typeof value !== 'string' && typeof value !== 'number' && value !== null)
        return values.map(this.#access.bind);
    }
    return values;
  }
}

/**
 * SQLite compiles a statement again for every new value of a bare parameter after `limit`, which takes longer than a page of rows; it
 * does not for an expression. Only for the library's own statements: in another's the words may be a text.
 */
function prepareOnce(database: Database.Database, sql: string): Database.Statement {
  return database.prepare(sql.replaceAll(/\blimit \?(?! *\+)/g, 'limit ? + 0'));
}

/** Node's own `queueMicrotask` takes several times as long. */
const SOON = Promise.resolve();

const NO_ROWS: readonly RawRow[] = [];

function isBusy(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 'SQLITE_BUSY';
}
