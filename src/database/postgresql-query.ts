import type { Connection, Submittable } from 'pg';
import type { RawRow } from './plan.js';
import { isConnectionLoss } from './postgresql-client.js';

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

/** A statement of a trip. */
export interface TripStatement extends BoundStatement {
  /** It only says how those after it are run: nobody asks for its rows. */
  readonly isSetting?: boolean;
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
 * Statements in one round trip, and so in one transaction: it is committed when the rows are there, and nothing of it stays when one of
 * them fails. `pg` takes whatever can submit itself.
 */
export class OneTripQuery implements Submittable {
  /** Of each statement that is no setting, in their order. */
  readonly rows: Promise<readonly (readonly RawRow[])[]>;
  /** Called once, before the rows are there, or the error. */
  onEnd: ((error?: Error) => void) | undefined;
  /** For whoever looks at what `pg` is asked to send. */
  readonly text: string;
  readonly #statements: readonly TripStatement[];
  readonly #uses: QueryUses;
  readonly #resolve: (rows: readonly (readonly RawRow[])[]) => void;
  readonly #reject: (error: Error) => void;
  readonly #answers: RawRow[][] = [];
  /** Of the statement whose answer comes. */
  #rows: RawRow[] = [];
  #columns: readonly Column[] | undefined;
  /** How many statements are answered. */
  #answered = 0;
  #isSent = false;
  #failure: Error | undefined;
  #connection: WireConnection | undefined;
  #parsing: BoundStatement[] | undefined;

  constructor(statements: readonly TripStatement[], uses: QueryUses) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly (readonly RawRow[])[]>();
    this.rows = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.text = statements.find(({ isSetting }) => !isSetting)?.text ?? '';
    this.#statements = statements;
    this.#uses = uses;
  }

  /** Whether an error is one of a setting. */
  get failedInSetting(): boolean {
    return this.#isSent && this.#current?.isSetting === true;
  }

  /** Whether it may have been committed although it failed: all was sent, and no answer says that the server gave up before. */
  get mayBeCommitted(): boolean {
    const isRun = this.#answered === this.#statements.length;
    return this.#isSent && (isRun || this.#failure === undefined);
  }

  /** Whether the server itself said that it failed, and is there to take everything back. */
  get isTakenBack(): boolean {
    return this.#failure !== undefined && 'severity' in this.#failure && !isConnectionLoss(this.#failure);
  }

  get #current(): TripStatement | undefined {
    return this.#statements[this.#answered];
  }

  submit(connection: Connection): null {
    const wire = connection as WireConnection;
    this.#connection = wire;
    wire.stream.cork();
    try {
      for (const statement of this.#statements) this.#send(wire, statement);
      wire.sync();
      this.#isSent = true;
    } finally {
      wire.stream.uncork();
    }
    return null;
  }

  #send(wire: WireConnection, statement: TripStatement): void {
    const { name, text, values, isSetting = false } = statement;
    const isOnItsWay = name !== undefined && this.#parsing?.some((other) => other.name === name) === true;
    if (!isOnItsWay && (name === undefined || wire.parsedStatements[name] !== text)) {
      wire.parse({ name: name ?? '', text, types: [] }, true);
      if (!this.#parsing) wire.on('parseComplete', this.#noteParsed);
      (this.#parsing ??= []).push(statement);
    }
    const bound = { portal: '', statement: name ?? '', values, binary: false, valueMapper: this.#uses.bind };
    wire.bind(bound as never, true);
    const isDescribed = name !== undefined && (isOnItsWay || described.get(wire)?.has(name) === true);
    if (!isSetting && !isDescribed) wire.describe({ type: 'P', name: '' }, true);
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
    const name = this.#current?.name;
    if (name === undefined || !this.#connection) return;
    const known = described.get(this.#connection) ?? new Map<string, readonly Column[]>();
    described.set(this.#connection, known.set(name, this.#columns));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#failure || this.#current?.isSetting) return;
    try {
      const row: RawRow = {};
      const columns = (this.#columns ??= this.#knownColumns());
      for (let index = 0; index < columns.length; index += 1) {
        const { name, parse } = columns[index] as Column;
        const text = fields[index] as string | null;
        row[name] = text === null ? null : parse(text);
      }
      this.#rows.push(row);
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  #knownColumns(): readonly Column[] {
    const known = this.#connection && described.get(this.#connection)?.get(this.#current?.name ?? '');
    if (!known) throw new Error('The server sent a row of a statement whose columns it has not described');
    return known;
  }

  handleCommandComplete(): void {
    if (!this.#current?.isSetting) this.#answers.push(this.#rows);
    this.#rows = [];
    this.#columns = undefined;
    this.#answered += 1;
  }

  handleReadyForQuery(): void {
    this.#end();
    if (this.#failure) this.#reject(this.#failure);
    else this.#resolve(this.#answers);
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
