import type { SharedTier } from '../cache/shared-tier.js';
import type { CacheStatistics } from '../cache/tiered-cache.js';
import { CacheUnavailableError, ConfigurationError } from '../errors.js';
import { parseJson } from '../json.js';
import { kindOfKey } from './cache-keys.js';
import type { CacheWarmer, RowsToWarm, WarmOptions } from './cache-warmer.js';
import { CACHED_KINDS, type CachedKind, type CachePolicies } from './cached-kinds.js';
import type { EntityCache } from './entity-cache.js';
import type { TenantsService } from './tenants.service.js';

export interface WarmRequest extends WarmOptions {
  /** All of them unless given. */
  readonly tenant?: string | undefined;
  /** How many of each tenant's newest rows are loaded, by their kind; what `preload` of the kind's policy says unless given. */
  readonly rows?: RowsToWarm | undefined;
}

export interface ClearRequest {
  /** All of them unless given. */
  readonly tenant?: string | undefined;
  /** Ends the wait for Redis. */
  readonly signal?: AbortSignal | undefined;
}

/** How one process does that caches in Redis, as it said in the last seconds. */
export interface ProcessStatistics extends CacheStatistics {
  /** Host and process number. */
  readonly name: string;
}

export interface SharedStatistics {
  /** By kind. */
  readonly entries: Readonly<Record<string, number>>;
  readonly processes: readonly ProcessStatistics[];
}

interface Parts {
  readonly cache: EntityCache;
  readonly warmer: CacheWarmer;
  readonly tenants: TenantsService;
  readonly policies: CachePolicies;
}

/** What the services of a manager have cached. */
export class CacheService {
  readonly #cache: EntityCache;
  readonly #warmer: CacheWarmer;
  readonly #tenants: TenantsService;
  readonly #policies: CachePolicies;

  constructor({ cache, warmer, tenants, policies }: Parts) {
    this.#cache = cache;
    this.#warmer = warmer;
    this.#tenants = tenants;
    this.#policies = policies;
  }

  /** What became of this manager's reads since it was opened, by the kind of what was read. */
  statistics(): CacheStatistics {
    return this.#cache.statistics();
  }

  /**
   * What Redis holds, of all tenants or of one, and how the processes do that cache there.
   *
   * @throws NotFoundError when there is no such tenant, ConfigurationError where there is no Redis, CacheUnavailableError.
   */
  async sharedStatistics({ tenant }: { readonly tenant?: string | undefined } = {}): Promise<SharedStatistics> {
    const shared = this.#shared();
    const tenantId = tenant === undefined ? undefined : (await this.#tenants.get(tenant)).id;
    const entries: Record<string, number> = {};
    try {
      for await (const keys of shared.keys()) {
        for (const key of keys) {
          const found = kindOfKey(key);
          if (!found || (tenantId !== undefined && found.tenantId !== tenantId)) continue;
          entries[found.kind] = (entries[found.kind] ?? 0) + 1;
        }
      }
      const reports = await shared.reports();
      return { entries, processes: reports.flatMap(statisticsIn) };
    } catch (error) {
      throw new CacheUnavailableError({ cause: error });
    }
  }

  /** @throws ConfigurationError where there is no Redis, CacheUnavailableError. */
  assertShared(): void {
    this.#shared();
  }

  #shared(): SharedTier {
    const { shared } = this.#cache;
    if (!shared.isShared) throw new ConfigurationError(['REDIS_URL must name the Redis that processes cache in']);
    if (!shared.isUp) throw new CacheUnavailableError();
    return shared;
  }

  /**
   * Forgets everything, or what is cached of one tenant, in every process that has the same Redis. Whoever writes beside the services,
   * as through `orm` or from another program, calls it. It resolves when Redis has confirmed, which it does as soon as it can be reached.
   *
   * @throws NotFoundError when there is no such tenant; the signal's reason when it is aborted, and then Redis is told all the same.
   */
  async clear({ tenant, signal }: ClearRequest = {}): Promise<void> {
    const cleared = this.#cache.clear(tenant === undefined ? undefined : (await this.#tenants.get(tenant)).id);
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      signal?.throwIfAborted();
      await Promise.race([cleared, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Loads rows into the cache, and gives how many are there now.
   *
   * @throws NotFoundError when there is no such tenant; the signal's reason when it is aborted.
   */
  async warm({ tenant, rows, signal, onProgress }: WarmRequest = {}): Promise<number> {
    const wanted = rows ?? preloads(this.#policies);
    if (Object.values(wanted).every((count) => count === 0)) return 0;
    let before = 0;
    const warmOne = async (id: string): Promise<void> => {
      before += await this.#warmer.warm(id, wanted, { signal, onProgress: (count) => onProgress?.(before + count) });
    };
    if (tenant !== undefined) {
      await warmOne((await this.#tenants.get(tenant)).id);
      return before;
    }
    let after: string | undefined;
    do {
      const page = await this.#tenants.list(after === undefined ? {} : { after });
      for (const { id, status } of page.items) if (status !== 'deleted') await warmOne(id);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return before;
  }
}

function preloads(policies: CachePolicies): RowsToWarm {
  const counts = CACHED_KINDS.map((kind): [CachedKind, number] => [kind, policies[kind].preload ?? 0]);
  return Object.fromEntries(counts);
}

/** None where a text is no report of a process. */
function statisticsIn(text: string): ProcessStatistics[] {
  try {
    const statistics = parseJson(text) as ProcessStatistics;
    // JSON has no infinity.
    return [{ ...statistics, unconfirmed: statistics.unconfirmed ?? Infinity }];
  } catch {
    return [];
  }
}
