import type { SessionContext, Transaction } from '@mikro-orm/core';
import {
  CompiledQuery,
  ControlledTransaction,
  type ConnectionProvider,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely';
import { EVERY_TENANT, type TenantLimit } from './engine.js';

/**
 * How row-level security is asked for (migration `010-row-level-security`):
 * - the **tenant role** runs a tenant's statements, and sees the rows of the tenant that the tenant setting names, or none;
 * - the **operator role** is what the connecting user is a member of; it sees every tenant, and other rows only while the security
 *   setting is `off`.
 */
export const TENANT_ROLE = 'colloquy_tenant';
export const OPERATOR_ROLE = 'colloquy_operator';
export const TENANT_SETTING = 'colloquy.tenant_id';
export const SECURITY_SETTING = 'colloquy.row_level_security';

/** `null` puts back what the connection began with. All three last until the transaction ends, or the savepoint that they came after. */
export const ENTER = `select set_config('role', $1, true), set_config('${TENANT_SETTING}', $2, true), set_config('${SECURITY_SETTING}', $3, true)`;

/** These need no session; and the last one is all that a failed transaction takes. */
const SAVEPOINT = /^\s*(?:savepoint|release|rollback)\b/i;
/** Takes back a change of session that came after its savepoint. */
const ROLLBACK = /^\s*rollback\b/i;

/** What {@link ENTER} sets. */
type Session = readonly [role: string | null, tenantId: string, security: string | null];

const CONNECTING_USER: Session = [null, '', null];

/** The values of {@link ENTER} for a tenant's session. */
export function sessionOfTenant(tenantId: string): Session {
  return [TENANT_ROLE, tenantId, null];
}

/** The session of a limit, in MikroORM's words; undefined for the connecting user's own. */
export function sessionContextOf(limit: TenantLimit): SessionContext | undefined {
  if (limit === undefined) return undefined;
  if (limit === EVERY_TENANT) return { variables: { [SECURITY_SETTING]: 'off' } };
  return { role: TENANT_ROLE, variables: { [TENANT_SETTING]: limit } };
}

function sessionOf({ role, variables }: SessionContext = {}): Session {
  const security = variables?.[SECURITY_SETTING];
  return [role ?? null, String(variables?.[TENANT_SETTING] ?? ''), security === undefined ? null : String(security)];
}

/** The role of the session cannot be taken: it is not there, or the connecting user is no member of it. Its fields are the server's. */
class RoleRefusedError extends Error {
  readonly code = '42501';
  readonly constraint = TENANT_ROLE;
}

const INVALID_VALUE = '22023';
const NOT_PERMITTED = '42501';

/** What an error of {@link ENTER} means. */
export function toEnterError(error: Error): Error {
  const { code } = error as { readonly code?: unknown };
  if (code !== INVALID_VALUE && code !== NOT_PERMITTED) return error;
  return new RoleRefusedError(error.message, { cause: error });
}

/**
 * Transactions whose statements each run in their own session. Units of work of several tenants may share a transaction, and so a
 * connection: each has a view of it, a transaction object of its own, and a statement sent through a view is preceded by the change
 * of session where the one before was another's. So no statement ever runs in a session that was meant for another, whatever order
 * they come in and whatever failed in between.
 */
export class TransactionSessions {
  readonly #dialect: Dialect;
  /** By their views, of all connections: who has a view need not know whether it is one of the database or of a replica. */
  static readonly #shared = new WeakMap<Transaction<object>, SharedTransaction>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** The first view of a transaction that has just begun. */
  async open(
    transaction: ControlledTransaction<unknown>,
    context: SessionContext | undefined,
  ): Promise<ControlledTransaction<unknown>> {
    const connection = await transaction.getExecutor().provideConnection(async (provided) => provided);
    return TransactionSessions.#view(new SharedTransaction(this.#dialect, transaction, connection), context);
  }

  /** Another view of the transaction that `view` is one of. */
  static share(view: Transaction<object>, context: SessionContext | undefined): ControlledTransaction<unknown> {
    const shared = this.#shared.get(view);
    if (!shared) throw new TypeError('This transaction was not begun by the connection of Colloquy.');
    return this.#view(shared, context);
  }

  /** A savepoint of a view is a view in the same session; from here on it can be shared too. */
  static nest(view: Transaction<object>, savepoint: Transaction<object>): void {
    const shared = this.#shared.get(view);
    if (shared) this.#shared.set(savepoint, shared);
  }

  static #view(shared: SharedTransaction, context: SessionContext | undefined): ControlledTransaction<unknown> {
    const session = sessionOf(context);
    const executor = shared.transaction.getExecutor();
    const provider: ConnectionProvider = {
      provideConnection: (consumer, options) =>
        executor.provideConnection((connection) => consumer(shared.connectionIn(session, connection)), options),
    };
    const view = new ControlledTransaction<unknown>({
      config: { dialect: shared.dialect },
      dialect: shared.dialect,
      driver: new SharingDriver(shared),
      executor: executor.withConnectionProvider(provider),
      connection: { connection: shared.connection, release: () => undefined },
    });
    this.#shared.set(view, shared);
    return view;
  }
}

/** A transaction, and the session in which its connection is now. */
class SharedTransaction {
  readonly dialect: Dialect;
  readonly transaction: ControlledTransaction<unknown>;
  readonly connection: DatabaseConnection;
  /** Undefined where nobody knows. */
  #session: Session | undefined = CONNECTING_USER;

  constructor(dialect: Dialect, transaction: ControlledTransaction<unknown>, connection: DatabaseConnection) {
    this.dialect = dialect;
    this.transaction = transaction;
    this.connection = connection;
  }

  forgetSession(): void {
    this.#session = undefined;
  }

  /** The connection as it is to be used in a session, by whoever has it to himself for the time. */
  connectionIn(session: Session, connection: DatabaseConnection): DatabaseConnection {
    const enter = async (sql: string): Promise<void> => {
      if (!SAVEPOINT.test(sql)) await this.#enter(session, connection);
      if (ROLLBACK.test(sql)) this.forgetSession();
    };
    return {
      async executeQuery<R>(query: CompiledQuery, options?: Parameters<DatabaseConnection['executeQuery']>[1]) {
        await enter(query.sql);
        return connection.executeQuery<R>(query, options);
      },
      async *streamQuery<R>(
        query: CompiledQuery,
        chunkSize: number,
        options?: Parameters<DatabaseConnection['streamQuery']>[2],
      ): AsyncIterableIterator<QueryResult<R>> {
        await enter(query.sql);
        yield* connection.streamQuery<R>(query, chunkSize, options);
      },
      cancelQuery: async (provider) => connection.cancelQuery?.(provider),
      collectSessionInfo: async () => connection.collectSessionInfo?.(),
      killSession: async (provider) => connection.killSession?.(provider),
    };
  }

  /** Sends the change of session where one is needed, right before the statement that needs it: the place to pipeline the two. */
  async #enter(session: Session, connection: DatabaseConnection): Promise<void> {
    if (this.#session?.every((value, index) => value === session[index])) return;
    this.forgetSession();
    try {
      await connection.executeQuery(CompiledQuery.raw(ENTER, [...session]));
    } catch (error) {
      throw toEnterError(error as Error);
    }
    this.#session = session;
  }
}

/** Ends the transaction, and sets its savepoints, for every view of it; the rest of a driver has been done by then. */
class SharingDriver implements Driver {
  readonly #shared: SharedTransaction;

  constructor(shared: SharedTransaction) {
    this.#shared = shared;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#shared.connection;
  }

  async beginTransaction(): Promise<void> {}

  async commitTransaction(): Promise<void> {
    await this.#shared.transaction.commit().execute();
  }

  async rollbackTransaction(): Promise<void> {
    await this.#shared.transaction.rollback().execute();
  }

  async savepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    await this.#shared.transaction.savepoint(name).execute();
  }

  async rollbackToSavepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    this.#shared.forgetSession();
    await this.#shared.transaction.rollbackToSavepoint(name as never).execute();
  }

  async releaseSavepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    await this.#shared.transaction.releaseSavepoint(name as never).execute();
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}
