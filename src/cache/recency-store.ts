import { LRUCache } from 'lru-cache';
import type { EvictionStore, KeptEntry } from './eviction-store.js';
import type { LocalEntry } from './local-tier.js';

/**
 * The least recently used entry goes next or, where reads are no use, the one that was stored first. An entry that is put in place of
 * another counts as new either way: what was loaded a moment ago is not old because its key is.
 */
export class RecencyStore implements EvictionStore {
  readonly #entries: LRUCache<string, LocalEntry>;
  readonly #readsCount: boolean;
  #evicted: KeptEntry | undefined;

  /** @param maxEntries How many entries there are at most, a whole number from 1; places for them are allocated at once. */
  constructor(maxEntries: number, readsCount: boolean) {
    this.#entries = new LRUCache({
      max: maxEntries,
      dispose: (entry, key, reason) => {
        if (reason === 'evict') this.#evicted = { key, entry };
      },
    });
    this.#readsCount = readsCount;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): LocalEntry | undefined {
    return this.#readsCount ? this.#entries.get(key) : this.#entries.peek(key);
  }

  peek(key: string): LocalEntry | undefined {
    return this.#entries.peek(key);
  }

  set(key: string, entry: LocalEntry): void {
    this.#entries.set(key, entry);
  }

  delete(key: string): LocalEntry | undefined {
    const entry = this.#entries.peek(key);
    this.#entries.delete(key);
    return entry;
  }

  evict(): KeptEntry | undefined {
    this.#entries.pop();
    const evicted = this.#evicted;
    this.#evicted = undefined;
    return evicted;
  }

  clear(): void {
    this.#entries.clear();
  }
}
