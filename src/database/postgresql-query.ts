import type { Connection, Submittable } from 'pg';
import type { RawRow } from './plan.js';

/** A column of a statement's rows, and what makes a value of its text. */
interface Column {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

interface Field {
  readonly name: string;
  readonly dataTypeID: number;
}

/** What `pg`'s connection has beside its types; see https://www.postgresql.org/docs/current/protocol-flow.html for the messages. */
interface WireConnection extends Connection {
  readonly stream: Connection['stream'] & { cork(): void; uncork(): void };
  /** The texts of the statements that are known to be prepared, by their names. */
  readonly parsedStatements: Record<string, string>;
}

/** A statement, under the name by which the server keeps it if it may keep one, and the values that are bound to it. */
export interface BoundStatement {
  readonly name: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a query needs of whoever sends it. */
export interface QueryUses {
  /** A value as the text, or the bytes, that are sent. */
  readonly bind: (value: unknown) => unknown;
  readonly parserOf: (typeId: number) => Column['parse'];
  /** What an error is told as; the query tells what may have become of it. */
  readonly convert: (error: Error, query: OneTripQuery) => Error;
}

/** The columns of named statements: each connection asks for them once. */
const described = new WeakMap<Connection, Map<string, readonly Column[]>>();

/**
 * A statement, and another that has to come first, in one round trip and so in one transaction: it is committed when the rows are there,
 * and nothing of it stays when it fails. `pg` takes whatever can submit itself.
 */
export class OneTripQuery implements Submittable {
  readonly rows: Promise<readonly RawRow[]>;
  /** Called once, before the rows are there, or the error. */
  onEnd: ((error?: Error) => void) | undefined;
  /** For whoever looks at what `pg` is asked to send. */
  readonly text: string;
  readonly #first: BoundStatement | undefined;
  readonly #statement: BoundStatement;
  readonly #uses: QueryUses;
  readonly #resolve: (rows: readonly RawRow[]) => void;
  readonly #reject: (error: Error) => void;
  readonly #found: RawRow[] = [];
  #columns: readonly Column[] | undefined;
  #isFirst: boolean;
  #isSent = false;
  #isRun = false;
  #failure: Error | undefined;
  #connection: WireConnection | undefined;
  #parsing: BoundStatement[] | undefined;

  constructor(statement: BoundStatement, first: BoundStatement | undefined, uses: QueryUses) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly RawRow[]>();
    this.rows = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.text = statement.text;
    this.#statement = statement;
    this.#first = first;
    this.#isFirst = first !== undefined;
    this.#uses = uses;
  }

  /** Whether an error is one of the statement that comes first. */
  get failedFirst(): boolean {
    return this.#isFirst && this.#isSent;
  }

  /** Whether it may have been committed although it failed: all was sent, and no answer says that the server gave up before. */
  get mayBeCommitted(): boolean {
    return this.#isSent && (this.#isRun || this.#failure === undefined);
  }

  submit(connection: Connection): null {
    const wire = connection as WireConnection;
    this.#connection = wire;
    wire.stream.cork();
    try {
      if (this.#first) this.#send(wire, this.#first, false);
      const { name } = this.#statement;
      this.#columns = name === undefined ? undefined : described.get(wire)?.get(name);
      this.#send(wire, this.#statement, this.#columns === undefined);
      wire.sync();
      this.#isSent = true;
    } finally {
      wire.stream.uncork();
    }
    return null;
  }

  #send(wire: WireConnection, statement: BoundStatement, describes: boolean): void {
    const { name = '', text, values } = statement;
    if (name === '' || wire.parsedStatements[name] !== text) {
      wire.parse({ name, text, types: [] }, true);
      if (!this.#parsing) wire.on('parseComplete', this.#noteParsed);
      (this.#parsing ??= []).push(statement);
    }
    const bound = { portal: '', statement: name, values, binary: false, valueMapper: this.#uses.bind };
    wire.bind(bound as never, true);
    if (describes) wire.describe({ type: 'P', name: '' }, true);
    wire.execute(null, true);
  }

  // `pg` keeps account of one statement a query, and only of one that the query names.
  readonly #noteParsed = (): void => {
    const { name, text } = this.#parsing?.shift() ?? {};
    if (name !== undefined && text !== undefined && this.#connection) this.#connection.parsedStatements[name] = text;
  };

  #end(error?: Error): void {
    this.onEnd?.(error);
    if (this.#parsing) this.#connection?.off('parseComplete', this.#noteParsed);
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    this.#columns = fields.map(({ name, dataTypeID }) => ({ name, parse: this.#uses.parserOf(dataTypeID) }));
    const { name } = this.#statement;
    if (name === undefined || !this.#connection) return;
    const known = described.get(this.#connection) ?? new Map<string, readonly Column[]>();
    described.set(this.#connection, known.set(name, this.#columns));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#isFirst || this.#failure) return;
    try {
      const row: RawRow = {};
      const columns = this.#columns ?? [];
      for (let index = 0; index < columns.length; index += 1) {
        const { name, parse } = columns[index] as Column;
        const text = fields[index] as string | null;
        row[name] = text === null ? null : parse(text);
      }
      this.#found.push(row);
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  handleCommandComplete(): void {
    if (this.#isFirst) this.#isFirst = false;
    else this.#isRun = true;
  }

  handleReadyForQuery(): void {
    this.#end();
    if (this.#failure) this.#reject(this.#failure);
    else this.#resolve(this.#found);
  }

  handleError(error: Error): void {
    this.#end(error);
    // What the server says has its severity; what the network says has none.
    if ('severity' in error) this.#failure = error;
    this.#reject(this.#uses.convert(error, this));
  }

  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
}
