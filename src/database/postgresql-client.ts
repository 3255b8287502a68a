import type { Socket } from 'node:net';
import { Client, type ClientConfig, type QueryResult } from 'pg';
import { OwedAnswers } from './owed-answers.js';
import type { RawRow } from './plan.js';
import type { OneTripQuery } from './postgresql-query.js';
import { CommitInterruptedError, isNetworkFailure } from './server-errors.js';

/** More parameters are a list's: its text is seldom the same twice. */
const NAMED_PARAMETERS_MAX = 64;
/** Names are kept by every connection of the server for its life, so there is an end to them. */
const NAMES_MAX = 500;

/** Names of prepared statements, the same on every connection of a pool; what comes after the last one is sent without a name. */
export class StatementNames {
  readonly #names = new Map<string, string>();
  readonly #seen = new Set<string>();

  of(text: string, parameters: number): string | undefined {
    if (parameters === 0 || parameters > NAMED_PARAMETERS_MAX) return undefined;
    const name = this.#names.get(text);
    if (name !== undefined || this.#names.size >= NAMES_MAX) return name;
    // A statement that is sent once would take a name for nothing.
    if (!this.#seen.has(text)) {
      if (this.#seen.size >= NAMES_MAX) this.#seen.clear();
      this.#seen.add(text);
      return undefined;
    }
    this.#seen.delete(text);
    return this.#give(text);
  }

  /** The name of a statement that is known to be sent again. */
  ofFixed(text: string): string | undefined {
    const name = this.#names.get(text);
    return name !== undefined || this.#names.size >= NAMES_MAX ? name : this.#give(text);
  }

  #give(text: string): string {
    const name = `colloquy_${String(this.#names.size + 1)}`;
    this.#names.set(text, name);
    return name;
  }
}

/** What the clients of a pool do beyond `pg`'s. */
export interface PreparingClient {
  /** Sends statements that need one round trip, and gives the rows of each. */
  send(query: OneTripQuery): Promise<readonly (readonly RawRow[])[]>;
}

/** What a transaction begins with that sets its own limit for statements. */
const OWN_LIMIT = /^\s*set\s+local\s+statement_timeout\b/i;

/**
 * A class of `pg` clients that prepare what they are sent, under the names of one pool, and that tell what became of a COMMIT:
 * PostgreSQL answers a COMMIT of a failed transaction with ROLLBACK and no error.
 *
 * @param patience How long the server may be silent that owes an answer, in milliseconds; undefined to wait for ever, which is also
 *   what a transaction does that sets its own limit.
 */
export function clientClass(names: StatementNames | undefined, patience: number | undefined): typeof Client {
  class Preparing extends Client implements PreparingClient {
    #isLost = false;
    #answers: OwedAnswers | undefined;

    constructor(config?: string | ClientConfig) {
      super(config);
      // Without a listener the loss of a connection would end the process; whoever uses it finds out by its next statement.
      this.on('error', () => (this.#isLost = true));
      this.on('end', () => (this.#isLost = true));
      this.once('connect', () => {
        const { stream } = (this as unknown as { readonly connection: { readonly stream: Socket } }).connection;
        this.#answers = new OwedAnswers(stream, patience);
      });
    }

    async #answered<T>(answer: Promise<T>): Promise<T> {
      try {
        return await (this.#answers?.wait(answer) ?? answer);
      } catch (error) {
        this.#endIfLost(error);
        throw error;
      }
    }

    /** Whether the server may take its time, because the transaction has a limit of its own. */
    #setPatient(isPatient: boolean): void {
      if (this.#answers) this.#answers.isPatient = isPatient;
    }

    // oxlint-disable-next-line typescript/no-explicit-any -- one implementation for the nine overloads of pg
    override query(...parameters: any[]): any {
      const [text, values] = parameters as [unknown, unknown];
      if (typeof text !== 'string' || parameters.length > 2) return super.query(...(parameters as [never]));
      if (text === 'commit') return this.#commit();
      if (text === 'rollback') return this.#rollback();
      if (OWN_LIMIT.test(text)) this.#setPatient(true);
      const given = Array.isArray(values) ? values : [];
      const name = names?.of(text, given.length);
      const config = name === undefined ? { text, values: given } : { name, text, values: given };
      return this.#answered(super.query(config));
    }

    send(query: OneTripQuery): Promise<readonly (readonly RawRow[])[]> {
      this.#answers?.begin();
      query.onEnd = (error) => {
        this.#answers?.end();
        if (error) this.#endIfLost(error);
      };
      this.query(query);
      return query.rows;
    }

    /** The server says so before it closes the connection, and the pool might give it to the next caller in between. */
    #endIfLost(reason: unknown): void {
      if (isConnectionLoss(reason)) this.end().catch(() => undefined);
    }

    async #commit(): Promise<QueryResult> {
      const wasSent = !this.#isLost;
      this.#setPatient(false);
      try {
        const result = await this.#answered(super.query('commit'));
        if (result.command === 'COMMIT') return result;
      } catch (error) {
        if (wasSent && isConnectionLoss(error)) throw new CommitInterruptedError(error);
        throw error;
      }
      throw Object.assign(new Error('The transaction had failed before and was rolled back'), { code: '25P02' });
    }

    /** A connection whose transaction could not be ended goes: nobody shall be given it again. */
    async #rollback(): Promise<QueryResult> {
      this.#setPatient(false);
      try {
        return await this.#answered(super.query('rollback'));
      } catch (error) {
        this.end().catch(() => undefined);
        throw error;
      }
    }
  }
  return Preparing;
}

/** What the server says of a connection that it ends. */
const LOST_CONNECTION = /^(?:08...|57P0[1-3])$/;
/** What `pg` says without a code. */
const LOST_MESSAGES =
  /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded when trying|The server does not support SSL|There was an error establishing an SSL)/;

/** Whether an error of `pg`, or of the network below it, means that there is no connection any more. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || code === '') return LOST_MESSAGES.test(error.message);
  return LOST_CONNECTION.test(code) || isNetworkFailure(code);
}
