import type { SessionContext, Transaction } from '@mikro-orm/core';
import type { AbstractSqlConnection, SqlEntityManager } from '@mikro-orm/sql';
import type { Engine } from '../database/engine.js';
import { DatabaseUnavailableError, TransactionConflictError } from '../errors.js';
import { connectionOf } from '../repositories/statement.js';
import { runtimeOf } from '../runtime.js';

/** How long a replica that did not answer is left alone, in milliseconds. */
const REST = 10_000;

interface Replica {
  readonly connection: AbstractSqlConnection;
  /** Set while it rests, or while the one caller that may ask it after that has no answer yet. */
  restsUntil: number | undefined;
}

/** The copies of the database that reads may be sent to, in turn, and the database itself for when none of them answers. */
export class Replicas {
  readonly #em: SqlEntityManager;
  readonly #engine: Engine;
  readonly #replicas: readonly Replica[];
  #asked = 0;

  constructor(em: SqlEntityManager, engine: Engine) {
    this.#em = em;
    this.#engine = engine;
    const { replicas } = em.getDriver() as unknown as { readonly replicas: readonly AbstractSqlConnection[] };
    this.#replicas = replicas.map((connection) => ({ connection, restsUntil: undefined }));
  }

  /**
   * Runs `work` in a transaction that cannot write, in a session as the database has it for the rows in question. What a replica fails with because it is one (it is away, or the changes that it
   * receives are in the way) is no answer: the next one is asked, and the database itself at last.
   */
  async read<T>(session: SessionContext | undefined, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    for (const replica of this.#inTurn()) {
      if (!this.#mayBeAsked(replica)) continue;
      try {
        const result = await readOnly(replica.connection, session, work);
        replica.restsUntil = undefined;
        return result;
      } catch (error) {
        const known = this.#engine.translateError(error);
        if (known instanceof DatabaseUnavailableError) replica.restsUntil = this.#now() + REST;
        else if (!(known instanceof TransactionConflictError)) throw error;
      }
    }
    return readOnly(connectionOf(this.#em), session, work);
  }

  #inTurn(): readonly Replica[] {
    const first = this.#asked++ % Math.max(1, this.#replicas.length);
    return [...this.#replicas.slice(first), ...this.#replicas.slice(0, first)];
  }

  #mayBeAsked(replica: Replica): boolean {
    if (replica.restsUntil === undefined) return true;
    const isRested = replica.restsUntil <= this.#now();
    if (isRested) replica.restsUntil = this.#now() + REST;
    return isRested;
  }

  #now(): number {
    return runtimeOf(this.#em).clock.now().getTime();
  }
}

async function readOnly<T>(
  connection: AbstractSqlConnection,
  session: SessionContext | undefined,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const transaction = await connection.begin({ readOnly: true, ...(session && { sessionContext: session }) });
  try {
    return await work(transaction);
  } finally {
    await connection.rollback(transaction);
  }
}
