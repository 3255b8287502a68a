import type { TenantOwned } from '../entities/tenant-owned.js';
import { TenantDeletedError } from '../errors.js';
import type { Row } from '../repositories/compiled-table.js';
import { type CreateOptions, type CreatingCall, once } from './once.js';
import type { TenantDirectory } from './tenant-directory.js';
import type { ReadOptions, Transactions, WriteOptions } from './transactions.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Under a key a call may run twice. */
export function repeatable({ idempotencyKey }: CreateOptions): WriteOptions {
  return { isRepeatable: (idempotencyKey ?? null) !== null };
}

/** What the services of one tenant share: its units of work. */
export class TenantScope {
  readonly #slug: string;
  readonly #transactions: Transactions;
  readonly #directory: TenantDirectory;

  constructor(slug: string, transactions: Transactions, directory: TenantDirectory) {
    this.#slug = slug;
    this.#transactions = transactions;
    this.#directory = directory;
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
