import type { EntityClass } from '@mikro-orm/core';
import type { Region } from '../cache/region.js';
import type { SharedTier, Targets } from '../cache/shared-tier.js';
import type { CacheStatistics, TieredCache } from '../cache/tiered-cache.js';
import type { Timing } from '../cache/timing.js';
import type { Message } from '../entities/message.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import type { Change } from '../repositories/change-capture.js';
import type { Row } from '../repositories/compiled-table.js';
import type { CommitListener } from './commit-listener.js';
import { historyTag, kindTag, rowAddress, tenantPrefix } from './cache-keys.js';
import type { ResultStore } from './result-cache.js';
import { CACHED_ENTITIES, CACHED_KINDS, type CachedKind, type CachePolicies } from './cached-kinds.js';

/** How many results of MikroORM's queries one process keeps, and about how many bytes of memory they may take. */
const RESULTS_MAX = 1_000;
const RESULTS_MAX_BYTES = 32 * 1_024 * 1_024;

/** So many rows of one kind are named one by one; of more, all of the tenant's are meant. */
const NAMED_MAX = 100;

/**
 * When a change whose outcome nobody knew is taken as done or never to be, in milliseconds: until then it may yet be committed, and
 * what was loaded before it be cached.
 */
const DOUBT = 5_000;

/** The rows of one entity, by their ids, and their ids by the caller's own keys. */
export interface CachedRows<Entity extends TenantOwned> {
  readonly kind: CachedKind;
  readonly rows: Region<Row<Entity>>;
  readonly ids: Region<string>;
}

/** What is cached of the entities, and what of it a change makes untrue. */
export class EntityCache implements CommitListener {
  readonly #cache: TieredCache;
  readonly #timing: Timing;
  readonly #rows = new Map<EntityClass<object>, CachedRows<TenantOwned>>();
  readonly #history: Region<readonly Row<Message>[]> | undefined;
  readonly #policies: CachePolicies;
  readonly #closed = new AbortController();
  /** Where MikroORM keeps what queries find. */
  readonly results: ResultStore;

  constructor(cache: TieredCache, timing: Timing, policies: CachePolicies) {
    this.#cache = cache;
    this.#timing = timing;
    this.#policies = policies;
    this.results = { cache, values: cache.store({ maxEntries: RESULTS_MAX, maxBytes: RESULTS_MAX_BYTES }) };
    for (const [entity, kind] of CACHED_ENTITIES) {
      const policy = policies[kind];
      if (policy.consistency === 'none') continue;
      const rows = cache.region<Row<TenantOwned>>(kind, policy);
      // Which row has a key is checked with the row itself, so no change has to be told here; only that none has it would have to.
      const ids = cache.region<string>(`${kind} by key`, { ...policy, negativeTimeToLive: 0, grace: 0 });
      this.#rows.set(entity, { kind, rows, ids });
    }
    const { history } = policies;
    if (history.consistency !== 'none') this.#history = cache.region('history', history);
  }

  /** Undefined where they are not cached. */
  rowsOf<Entity extends TenantOwned>(entity: EntityClass<Entity>): CachedRows<Entity> | undefined {
    return this.#rows.get(entity) as CachedRows<Entity> | undefined;
  }

  /** Undefined where it is not cached. */
  get history(): Region<readonly Row<Message>[]> | undefined {
    return this.#history;
  }

  /**
   * Says that these changes are committed. No read that begins later in this process gives what was before; where any is cached under
   * `strong`, the promise resolves when that is so for every read in any other process.
   */
  publish(changes: readonly Change[]): Promise<unknown> | undefined {
    if (changes.length === 0 || !this.#isKeptSomewhere) return undefined;
    const targets = this.#targetsOf(changes);
    const strong: Promise<void>[] = [];
    for (const [consistency, { keys, tags }] of targets) {
      const each = { keys: [...keys], tags: [...tags] };
      if (consistency === 'strong') strong.push(this.#cache.invalidateStrong(each));
      else void this.#cache.invalidate(each);
    }
    return strong.length > 0 ? Promise.all(strong) : undefined;
  }

  /** Whether anything can be cached, here or in another process that has other policies. */
  get #isKeptSomewhere(): boolean {
    return this.shared.isShared || this.#rows.size > 0 || this.#history !== undefined;
  }

  /** {@link publish} of changes that may be committed, now or a little later. */
  async doubt(changes: readonly Change[]): Promise<void> {
    await this.publish(changes);
    void this.#timing.wait(DOUBT, this.#closed.signal).then(() => this.publish(changes));
  }

  /** {@link publish} of changes that may have reached any row. */
  async publishAll(): Promise<void> {
    const cleared = this.#cache.clear();
    const isStrong = Object.values(this.#policies).some(({ consistency }) => consistency === 'strong');
    if (isStrong) await this.#cache.settled(cleared);
  }

  /** Forgets everything, or what is cached of one tenant; resolves when tier two has confirmed. */
  async clear(tenantId?: string): Promise<void> {
    if (tenantId === undefined) return this.#cache.clear();
    await this.#cache.invalidate({ keys: [], tags: CACHED_KINDS.map((kind) => kindTag(tenantId, kind)) });
    // Nobody can read any of it now. That it goes before its time is only a matter of memory, so a failure is none of the caller's.
    await this.shared.clear(tenantPrefix(tenantId)).catch(() => undefined);
  }

  statistics(): CacheStatistics {
    return this.#cache.statistics();
  }

  get shared(): SharedTier {
    return this.#cache.shared;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#cache.close();
  }

  #targetsOf(changes: readonly Change[]) {
    const targets = new Map<'strong' | 'eventual', { readonly keys: Set<string>; readonly tags: Set<string> }>();
    const at = (kind: CachedKind) => {
      const consistency = this.#policies[kind].consistency === 'strong' ? 'strong' : 'eventual';
      let found = targets.get(consistency);
      if (!found) targets.set(consistency, (found = { keys: new Set(), tags: new Set() }));
      return found;
    };
    for (const change of changes) {
      const { tenantId, entity, type, isUpsert = false } = change;
      const ids = isUpsert ? undefined : change.ids;
      const kind = CACHED_ENTITIES.get(entity);
      if (!kind) continue;
      this.#endHistory(change, kind, at('history'));
      // The database deletes a conversation's messages with it.
      if (kind === 'conversations' && type === 'delete') at('messages').tags.add(kindTag(tenantId, 'messages'));
      // Nobody can have cached that there is none.
      const isNew = type === 'insert' && !isUpsert;
      if (isNew && this.#policies[kind].negativeTimeToLive === 0) continue;
      if (!ids || ids.length > NAMED_MAX) at(kind).tags.add(kindTag(tenantId, kind));
      else for (const id of ids) at(kind).keys.add(rowAddress(tenantId, kind, id).key);
    }
    return targets satisfies Map<string, { readonly [Key in keyof Targets]: Set<string> }>;
  }

  #endHistory({ tenantId, ids, isAppend }: Change, kind: CachedKind, { tags }: { readonly tags: Set<string> }): void {
    // An append changes its conversation, too, which says whose history it is.
    if (!this.shared.isShared && !this.#history) return;
    if (kind === 'messages' ? isAppend : kind !== 'conversations') return;
    if (kind === 'messages' || !ids || ids.length > NAMED_MAX) tags.add(kindTag(tenantId, 'history'));
    else for (const id of ids) tags.add(historyTag(tenantId, id));
  }
}
