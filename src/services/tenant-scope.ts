import type { ReadOptions, Transactions } from './transactions.js';
import type { UnitOfWork } from './unit-of-work.js';

/** What the services of one tenant share: its units of work. The tenant's id is looked up by slug at the first use. */
export class TenantScope {
  readonly #transactions: Transactions;
  readonly #findTenantId: () => Promise<string>;
  #tenantId: string | undefined;

  constructor(transactions: Transactions, findTenantId: () => Promise<string>) {
    this.#transactions = transactions;
    this.#findTenantId = findTenantId;
  }

  async write<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.#transactions.write(await this.tenantId(), work);
  }

  async read<T>(work: (unit: UnitOfWork) => Promise<T>, options?: ReadOptions): Promise<T> {
    return this.#transactions.read(await this.tenantId(), work, options);
  }

  async snapshot<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.#transactions.snapshot(await this.tenantId(), work);
  }

  /** @throws NotFoundError when there is no such tenant. */
  async tenantId(): Promise<string> {
    return (this.#tenantId ??= await this.#findTenantId());
  }
}
