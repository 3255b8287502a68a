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

  /** @param maxEntries How many entries there are at most, a whole number from 1; places for them are allocated at once. */
  constructor(maxEntries: number, readsCount: boolean) {
    this.#entries = new LRUCache({ max: maxEntries });
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
    const oldest = this.#entries.rentries().next();
    if (oldest.done) return undefined;
    const [key, entry] = oldest.value as [string, LocalEntry];
    this.#entries.delete(key);
    return { key, entry };
  }

  clear(): void {
    this.#entries.clear();
  }
}
