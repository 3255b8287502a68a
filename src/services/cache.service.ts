import type { CacheStatistics } from '../cache/tiered-cache.js';
import type { EntityCache } from './entity-cache.js';
import type { TenantDirectory } from './tenant-directory.js';

/** What the services of a manager have cached. */
export class CacheService {
  readonly #cache: EntityCache;
  readonly #directory: TenantDirectory;

  constructor(cache: EntityCache, directory: TenantDirectory) {
    this.#cache = cache;
    this.#directory = directory;
  }

  /** What became of this manager's reads since it was opened, by the kind of what was read. */
  statistics(): CacheStatistics {
    return this.#cache.statistics();
  }

  /**
   * Forgets everything, or what is cached of one tenant, in every process that has the same Redis. Whoever writes beside the services,
   * as through `orm` or from another program, calls it. It resolves when Redis has confirmed, which it does as soon as it can be reached.
   *
   * @throws NotFoundError when there is no such tenant.
   */
  async clear({ tenant }: { readonly tenant?: string | undefined } = {}): Promise<void> {
    await this.#cache.clear(tenant === undefined ? undefined : await this.#directory.idOf(tenant));
  }
}
