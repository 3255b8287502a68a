import type { TenantQuota } from '../entities/quota.js';
import { Tenant, type TenantPlan, type TenantStatus } from '../entities/tenant.js';
import { InvalidStateError, NotFoundError, ValidationError, VersionConflictError } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { allowedProperties } from '../repositories/allowed-properties.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { QuotaCounter } from '../repositories/quota-counter.js';
import { writeFreeKey } from '../repositories/race.js';
import type { ChangeOptions } from '../repositories/tenant-owned.repository.js';
import { TenantRepository } from '../repositories/tenant.repository.js';
import { runtimeOf } from '../runtime.js';
import type { Transactions } from './transactions.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface TenantInput {
  readonly slug: string;
  readonly name: string;
  /** `free` unless given. */
  readonly plan?: TenantPlan;
  readonly config?: Record<string, unknown>;
  /** Without limits unless given. */
  readonly quota?: TenantQuota;
}

export type TenantChanges = Partial<Omit<TenantInput, 'slug'>>;

const CHANGEABLE = ['name', 'plan', 'config', 'quota'] as const;
const SETTABLE = ['slug', ...CHANGEABLE] as const;

/** The tenants themselves. What changes one waits for the units of work that are writing its rows, and holds for all that begin later. */
export class TenantsService {
  readonly #transactions: Transactions;
  readonly #onChange: (tenant: Row<Tenant>) => void;

  /** `onChange` is told of each change that was committed. */
  constructor(transactions: Transactions, onChange: (tenant: Row<Tenant>) => void) {
    this.#transactions = transactions;
    this.#onChange = onChange;
  }

  /** The tenant of this slug, made if there is none; an existing one is returned as it is. */
  async ensure(input: TenantInput): Promise<Row<Tenant>> {
    const made = async ({ em }: UnitOfWork): Promise<Row<Tenant>> => {
      const tenants = new TenantRepository(em);
      const given = allowedProperties('Tenant', input, SETTABLE);
      runtimeOf(em).rules.of(Tenant).assert(Object.assign(new Tenant(), given), new Set(SETTABLE));
      const existing = await tenants.findBySlug(input.slug);
      if (existing) return tenants.toRow(existing);
      const tenant = tenants.create(given as never);
      await writeFreeKey(() => em.flush());
      return tenants.toRow(tenant);
    };
    // The slug is its key: a second run finds what the first has made.
    return this.#transactions.write(undefined, made, { isRepeatable: true });
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

  /**
   * Changes what is named in `changes` and leaves the rest. A quota that is lower than what the tenant has takes nothing away; it
   * refuses what would come on top.
   *
   * @throws NotFoundError, ValidationError, VersionConflictError when it is not at `ifVersion` any more, InvalidStateError when the
   *   tenant was deleted.
   */
  async update(slug: string, changes: TenantChanges, options: ChangeOptions = {}): Promise<Row<Tenant>> {
    const given: Partial<Tenant> = allowedProperties('Tenant', changes, CHANGEABLE);
    return this.#change(slug, 'be changed', given, options);
  }

  /**
   * From here on the tenant's rows can be read, not written. Suspending twice is the same as once.
   *
   * @throws NotFoundError, InvalidStateError when the tenant was deleted.
   */
  async suspend(slug: string): Promise<Row<Tenant>> {
    return this.#become(slug, 'suspended');
  }

  /**
   * Makes a suspended tenant active again.
   *
   * @throws NotFoundError, InvalidStateError when the tenant was deleted.
   */
  async resume(slug: string): Promise<Row<Tenant>> {
    return this.#become(slug, 'active');
  }

  /**
   * From here on the tenant's rows can be neither read nor written; they stay in the database, and nothing brings them back into use.
   * Other processes read them for up to a second more. Deleting twice is the same as once.
   *
   * @throws NotFoundError
   */
  async delete(slug: string): Promise<Row<Tenant>> {
    return this.#become(slug, 'deleted');
  }

  async #become(slug: string, status: TenantStatus): Promise<Row<Tenant>> {
    return this.#change(slug, `be ${status}`, { status });
  }

  async #change(
    slug: string,
    operation: string,
    given: Partial<Tenant>,
    { ifVersion }: ChangeOptions = {},
  ): Promise<Row<Tenant>> {
    if (ifVersion !== undefined && !Number.isSafeInteger(ifVersion)) {
      throw new ValidationError('Tenant', [brokenRule('ifVersion', 'version', ifVersion)]);
    }
    const changed = await this.#transactions.write(undefined, async ({ em }) => {
      const tenants = new TenantRepository(em);
      const tenant = await tenants.getForChange(slug);
      if (ifVersion !== undefined && tenant.version !== ifVersion) {
        throw new VersionConflictError('tenant', slug, tenant.version);
      }
      const isGone = tenant.status === 'deleted' && given.status !== 'deleted';
      if (isGone) throw new InvalidStateError('tenant', slug, 'deleted', operation);
      runtimeOf(em)
        .rules.of(Tenant)
        .assert(Object.assign(Object.create(tenant), given), new Set(Object.keys(given)));
      Object.assign(tenant, given);
      // They know nothing of what is written while no quota asks for them.
      if ('quota' in given) await new QuotaCounter(em, tenant.id).forget();
      await em.flush();
      return tenants.toRow(tenant);
    });
    this.#onChange(changed);
    return changed;
  }
}
