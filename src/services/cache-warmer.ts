import type { EntityClass } from '@mikro-orm/core';
import type { TenantOwned } from '../entities/tenant-owned.js';
import type { Row } from '../repositories/compiled-table.js';
import { byIds, newestIds, ROWS_AT_ONCE } from '../repositories/read-plans.js';
import { rowAddress } from './cache-keys.js';
import { CACHED_ENTITIES, type CachedKind } from './cached-kinds.js';
import type { EntityCache } from './entity-cache.js';
import type { PlanCalls } from './plan-calls.js';

/** How many of a tenant's newest rows are loaded, by their kind. */
export type RowsToWarm = Readonly<Partial<Record<CachedKind, number>>>;

export interface WarmOptions {
  /** Ends it before the next hundred rows. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how many rows are there now. */
  readonly onProgress?: ((rows: number) => void) | undefined;
}

/** Reads rows before anybody asks for them, so that whoever does finds them in the cache. */
export class CacheWarmer {
  readonly #plans: PlanCalls;
  readonly #cache: EntityCache;

  constructor(plans: PlanCalls, cache: EntityCache) {
    this.#plans = plans;
    this.#cache = cache;
  }

  /** Gives how many rows of a tenant are there now. @throws the signal's reason when it is aborted. */
  async warm(tenantId: string, wanted: RowsToWarm, options: WarmOptions = {}): Promise<number> {
    let rows = 0;
    for (const [entity, kind] of CACHED_ENTITIES) {
      const limit = wanted[kind] ?? 0;
      if (limit === 0 || !this.#cache.rowsOf(entity)) continue;
      const table = this.#plans.tableOf(entity);
      const ids = await this.#plans.read(tenantId, () => newestIds(table, tenantId, limit));
      for (let first = 0; first < ids.length; first += ROWS_AT_ONCE) {
        options.signal?.throwIfAborted();
        rows += await this.#load(entity, tenantId, ids.slice(first, first + ROWS_AT_ONCE));
        options.onProgress?.(rows);
      }
    }
    return rows;
  }

  async #load(entity: EntityClass<TenantOwned>, tenantId: string, ids: readonly string[]): Promise<number> {
    const cached = this.#cache.rowsOf(entity);
    if (!cached) return 0;
    const table = this.#plans.tableOf(entity);
    const addresses = new Map(ids.map((id) => [id, rowAddress(tenantId, cached.kind, id)]));
    const found = await cached.rows.getManyOrLoad(addresses, async (names) => {
      const rows = (await this.#plans.read(tenantId, () => byIds(table, tenantId, names))) as (Row<TenantOwned> & {
        readonly id: string;
      })[];
      return new Map(rows.map((row) => [row.id, row]));
    });
    return found.size;
  }
}
