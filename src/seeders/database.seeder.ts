import { type EntityManager, ref } from '@mikro-orm/core';
import { Seeder } from '@mikro-orm/seeder';
import { Tenant } from '../entities/tenant.js';
import { TENANT_FILTER } from '../entities/tenant-limit.js';
import { ConversationFactory, MessageFactory, TenantFactory, UserFactory } from './factories.js';
import { SEED_DEFAULTS, type SeedOptions } from './seed-options.js';
import { createSeededSources } from './seeded-sources.js';

/** Invented tenants, users and conversations. A tenant that was seeded before is left as it is. */
export class DatabaseSeeder extends Seeder {
  readonly #options: SeedOptions;
  readonly #onTenant: (slug: string, added: boolean) => void;

  constructor(options: SeedOptions = SEED_DEFAULTS, onTenant: (slug: string, added: boolean) => void = () => {}) {
    super();
    this.#options = options;
    this.#onTenant = onTenant;
  }

  override async run(em: EntityManager): Promise<void> {
    for (let number = 1; number <= this.#options.tenants; number += 1) {
      const slug = `seed-${String(this.#options.seed)}-${String(number)}`;
      const added = await em.fork().transactional((fork) => this.#seedTenant(fork, slug, number));
      this.#onTenant(slug, added);
    }
  }

  /** Each tenant has a seed of its own, so that asking for more tenants does not change the ones before. */
  async #seedTenant(em: EntityManager, slug: string, number: number): Promise<boolean> {
    if (await em.findOne(Tenant, { slug })) return false;
    const sources = createSeededSources(this.#options.seed * 1_000_003 + number);
    const { faker } = sources;
    const tenant = new TenantFactory(em, sources).makeOne({ slug });
    // A database that keeps tenants apart takes a tenant from whoever is limited to none, and its rows from the tenant itself.
    await em.flush();
    em.setFilterParams(TENANT_FILTER, { tenantId: tenant.id });
    const owned = { tenant: ref(tenant) };
    for (const user of new UserFactory(em, sources).make(this.#options.users, owned)) {
      const data = { ...owned, user: ref(user) };
      const conversations = new ConversationFactory(em, sources).make(this.#options.conversations, data);
      for (const conversation of conversations) {
        const length = faker.number.int({ min: 2, max: 20 });
        new MessageFactory(em, sources).converse(ref(conversation), length);
      }
    }
    return true;
  }
}
