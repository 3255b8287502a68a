import type { EntityClass } from '@mikro-orm/core';
import type { Plan } from '../database/plan.js';
import type { Message } from '../entities/message.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import { TenantDeletedError } from '../errors.js';
import type { CompiledTable, Row, RowKey } from '../repositories/compiled-table.js';
import type { AppendOptions, HistoryRequest, MessageInput } from '../repositories/message.repository.js';
import type { NewMessage } from '../repositories/append-plans.js';
import type { Appends } from './appends.js';
import type { CachedReads } from './cached-reads.js';
import { type CreateOptions, type CreatingCall, once } from './once.js';
import type { TenantDirectory } from './tenant-directory.js';
import type { ReadOptions, Transactions, WriteOptions } from './transactions.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Under a key a call may run twice. */
export function repeatable({ idempotencyKey }: CreateOptions): WriteOptions {
  return { isRepeatable: (idempotencyKey ?? null) !== null };
}

/** What the tenants of one manager share. */
export interface TenantScopeParts {
  readonly transactions: Transactions;
  readonly directory: TenantDirectory;
  readonly appends: Appends;
  readonly cached: CachedReads;
}

/** What the services of one tenant share: its units of work, and the plans that run where none is. */
export class TenantScope {
  readonly #slug: string;
  readonly #transactions: Transactions;
  readonly #directory: TenantDirectory;
  readonly #appends: Appends;
  readonly #cached: CachedReads;

  constructor(slug: string, { transactions, directory, appends, cached }: TenantScopeParts) {
    this.#slug = slug;
    this.#transactions = transactions;
    this.#directory = directory;
    this.#appends = appends;
    this.#cached = cached;
  }

  /** @throws TenantSuspendedError, TenantDeletedError, QuotaExceededError, NotFoundError when there is no such tenant. */
  async write<T>(work: (unit: UnitOfWork) => Promise<T>, options?: WriteOptions): Promise<T> {
    return this.#transactions.write(await this.#directory.idOf(this.#slug), work, options);
  }

  /** {@link write} of a call that makes a row: under one idempotency key it is made once. */
  async create<Entity extends TenantOwned, Result extends Partial<Row<Entity>>>(
    call: CreatingCall<Entity>,
    make: (unit: UnitOfWork) => Promise<Result>,
  ): Promise<Result> {
    return this.write((unit) => once(unit, call, () => make(unit)), repeatable(call));
  }

  /**
   * Adds a message: beside the ORM where no unit of work is running.
   *
   * @throws as {@link write} does, and as `append` of the unit of work's messages.
   */
  append(conversationId: string, message: MessageInput, options: AppendOptions): Promise<Row<Message>> {
    const known = this.#directory.fresh(this.#slug);
    if (known) return this.#append(known.id, conversationId, message, options);
    return this.#directory
      .idOf(this.#slug)
      .then((tenantId) => this.#append(tenantId, conversationId, message, options));
  }

  #append(
    tenantId: string,
    conversationId: string,
    message: MessageInput,
    options: AppendOptions,
  ): Promise<Row<Message>> {
    let made: NewMessage | undefined;
    return this.#transactions.plans.write(
      () => this.#appends.append((made = this.#appends.make(tenantId, conversationId, message, options))),
      () =>
        this.write(({ messages }) =>
          made ? messages.appendMade(made) : messages.append(conversationId, message, options),
        ),
      repeatable(options),
    );
  }

  /** The row with an id. @throws TenantDeletedError, NotFoundError when there is no such tenant or row. */
  get<Entity extends TenantOwned>(entity: EntityClass<Entity>, id: string): Promise<Row<Entity>> {
    const tenant = this.#directory.fresh(this.#slug);
    if (tenant?.status === 'active') return this.#cached.byId(entity, tenant.id, id);
    return this.readableId().then((tenantId) => this.#cached.byId(entity, tenantId, id));
  }

  /** The row that has a key of the caller's own. @throws TenantDeletedError, NotFoundError when there is no such tenant or row. */
  async getBy<Entity extends TenantOwned>(
    entity: EntityClass<Entity>,
    key: RowKey<Entity>,
    value: string,
  ): Promise<Row<Entity>> {
    return this.#cached.byKey(entity, await this.readableId(), key, value);
  }

  /** @throws ValidationError, TenantDeletedError, NotFoundError when there is no such tenant or conversation. */
  history(conversationId: string, request: HistoryRequest): Promise<Row<Message>[]> {
    const tenant = this.#directory.fresh(this.#slug);
    if (tenant?.status === 'active') return this.#cached.history(tenant.id, conversationId, request);
    return this.readableId().then((tenantId) => this.#cached.history(tenantId, conversationId, request));
  }

  /**
   * Runs a plan that reads rows of an entity.
   *
   * @throws TenantDeletedError, NotFoundError when there is no such tenant.
   */
  query<Entity extends TenantOwned, Result>(
    entity: EntityClass<Entity>,
    plan: (table: CompiledTable<Entity>, tenantId: string) => Plan<Result>,
  ): Promise<Result> {
    const tenant = this.#directory.fresh(this.#slug);
    const table = this.#transactions.plans.tableOf(entity);
    // No promise is made for what is known: it would take as long as an embedded database.
    if (tenant?.status === 'active') return this.#transactions.plans.read(tenant.id, () => plan(table, tenant.id));
    return this.readableId().then((tenantId) => this.#transactions.plans.read(tenantId, () => plan(table, tenantId)));
  }

  /** @throws TenantDeletedError, NotFoundError when there is no such tenant. */
  async read<T>(work: (unit: UnitOfWork) => Promise<T>, options?: ReadOptions): Promise<T> {
    return this.#transactions.read(await this.readableId(), work, options);
  }

  /** @throws TenantDeletedError, NotFoundError when there is no such tenant. */
  async snapshot<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.#transactions.snapshot(await this.readableId(), work);
  }

  /**
   * The tenant's id, if its rows can be read.
   *
   * @throws TenantDeletedError, NotFoundError when there is no such tenant.
   */
  async readableId(): Promise<string> {
    const { id, status } = await this.#directory.get(this.#slug);
    if (status === 'deleted') throw new TenantDeletedError(this.#slug);
    return id;
  }
}
