import type { Tenant } from '../entities/tenant.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Clock } from '../runtime.js';

/** How long what is known of a tenant is believed, in milliseconds. */
const FRESH = 1_000;

type Known = Pick<Row<Tenant>, 'id' | 'slug' | 'status'>;

/**
 * Which tenants there are, as this process knows it: their ids, which never change, and their states, which another process may have
 * changed up to a second ago. Reads ask it; whatever writes asks the database, in its own transaction.
 */
export class TenantDirectory {
  readonly #clock: Clock;
  readonly #find: (slug: string) => Promise<Row<Tenant>>;
  readonly #known = new Map<string, { readonly tenant: Known; readonly at: number }>();

  constructor(clock: Clock, find: (slug: string) => Promise<Row<Tenant>>) {
    this.#clock = clock;
    this.#find = find;
  }

  /** @throws NotFoundError when there is no such tenant. */
  async idOf(slug: string): Promise<string> {
    return (this.#known.get(slug)?.tenant ?? (await this.#look(slug))).id;
  }

  /** @throws NotFoundError when there is no such tenant. */
  async get(slug: string): Promise<Known> {
    return this.fresh(slug) ?? this.#look(slug);
  }

  /** What is known of a tenant and may be believed. */
  fresh(slug: string): Known | undefined {
    const known = this.#known.get(slug);
    const age = known ? this.#now() - known.at : FRESH;
    // A clock may run backwards.
    return known && age >= 0 && age < FRESH ? known.tenant : undefined;
  }

  /** What this process itself has just written or read. */
  learn({ id, slug, status }: Known): Known {
    const tenant = { id, slug, status };
    this.#known.set(slug, { tenant, at: this.#now() });
    return tenant;
  }

  async #look(slug: string): Promise<Known> {
    return this.learn(await this.#find(slug));
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}
