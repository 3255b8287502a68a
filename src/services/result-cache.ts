import { createHash } from 'node:crypto';
import type { CacheAdapter } from '@mikro-orm/core';
import type { TieredCache } from '../cache/tiered-cache.js';
import type { ValueStore } from '../cache/value-store.js';
import { queryAddress } from './cache-keys.js';

/** What MikroORM's results are kept in, as soon as it is open. */
export interface ResultStore {
  readonly cache: TieredCache;
  readonly values: ValueStore;
}

interface ResultCacheOptions {
  /** For how long a result is kept unless a query says it, in milliseconds. */
  readonly expiration: number;
  readonly store: () => ResultStore | undefined;
}

/** How the tenant is put before the name of a result; see {@link nameOfResult}. */
const SEPARATOR = '|';

/** The name under which a tenant's result is kept: no other tenant's can be the same. */
export function nameOfResult(tenantId: string | undefined, name: string): string {
  return `${tenantId ?? ''}${SEPARATOR}${name}`;
}

/**
 * MikroORM's result cache over the cache's tiers, for `em.find(…, { cache: milliseconds })`. A result is kept as long as the query says,
 * whatever is written meanwhile; every query gets a copy.
 */
export class ResultCache implements CacheAdapter {
  readonly #options: ResultCacheOptions;

  constructor(options: ResultCacheOptions) {
    this.#options = options;
  }

  async get<T>(name: string): Promise<T | undefined> {
    return (await this.#options.store()?.values.get(addressOf(name))) as T | undefined;
  }

  async set(name: string, data: unknown, _origin: string, expiration = this.#options.expiration): Promise<void> {
    await this.#options.store()?.values.set(addressOf(name), data, expiration);
  }

  async remove(name: string): Promise<void> {
    void this.#options.store()?.cache.invalidate({ keys: [addressOf(name).key], tags: [] });
  }

  async clear(): Promise<void> {
    void this.#options.store()?.cache.clear();
  }
}

/** A name can be long, and shows what was looked for. */
function addressOf(name: string) {
  const end = name.indexOf(SEPARATOR);
  const digest = createHash('sha256')
    .update(name.slice(end + 1))
    .digest('base64url');
  return queryAddress(name.slice(0, end), digest);
}
