import { Tenant, type TenantPlan } from '../entities/tenant.js';
import { NotFoundError } from '../errors.js';
import { allowedProperties } from '../repositories/allowed-properties.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { writeFreeKey } from '../repositories/race.js';
import { TenantRepository } from '../repositories/tenant.repository.js';
import { runtimeOf } from '../runtime.js';
import type { Transactions } from './transactions.js';

export interface TenantInput {
  readonly slug: string;
  readonly name: string;
  /** `free` unless given. */
  readonly plan?: TenantPlan;
  readonly config?: Record<string, unknown>;
  readonly quota?: Record<string, unknown>;
}

const SETTABLE = ['slug', 'name', 'plan', 'config', 'quota'] as const;

export class TenantsService {
  readonly #transactions: Transactions;

  constructor(transactions: Transactions) {
    this.#transactions = transactions;
  }

  /** The tenant of this slug, made if there is none; an existing one is returned as it is. */
  async ensure(input: TenantInput): Promise<Row<Tenant>> {
    return this.#transactions.write(undefined, async ({ em }) => {
      const tenants = new TenantRepository(em);
      const given = allowedProperties('Tenant', input, SETTABLE);
      runtimeOf(em).rules.of(Tenant).assert(Object.assign(new Tenant(), given), new Set(SETTABLE));
      const existing = await tenants.findBySlug(input.slug);
      if (existing) return tenants.toRow(existing);
      const tenant = tenants.create(given as never);
      await writeFreeKey(() => em.flush());
      return tenants.toRow(tenant);
    });
  }

  /** @throws NotFoundError when there is no such tenant. */
  async get(slug: string): Promise<Row<Tenant>> {
    return this.#transactions.read(undefined, async ({ em }) => {
      const tenant = await new TenantRepository(em).readBySlug(slug);
      if (!tenant) throw new NotFoundError('tenant', slug);
      return tenant;
    });
  }

  /** Tenants in the order in which they were made, the oldest first. */
  async list(request: PageRequest = {}): Promise<Page<Row<Tenant>>> {
    return this.#transactions.read(undefined, ({ em }) => new TenantRepository(em).readPage(request));
  }
}
