import type { EvictionStore } from './eviction-store.js';
import { ExpiryStore } from './expiry-store.js';
import { FrequencyStore } from './frequency-store.js';
import { RecencyStore } from './recency-store.js';
import { TagIndex } from './tag-index.js';
import type { Timing } from './timing.js';

/** Which entry goes when there is no room: the least recently used, the least often used, the oldest, or the one that expires first. */
export type Eviction = 'lru' | 'lfu' | 'fifo' | 'ttl';

export interface LocalEntry {
  /** Frozen plain data; undefined where it is known that there is nothing. */
  readonly value: unknown;
  /** Of which store of the value in tier two this is. */
  readonly version: string;
  /** About how much memory it takes. */
  readonly bytes: number;
  /** Until when it may be served, and until when it may be where nothing newer can be had; in milliseconds of the cache's clock. */
  readonly freshUntil: number;
  readonly keepUntil: number;
  /** With whatever of these is invalidated, it is. */
  readonly tags: readonly string[];
}

export interface LocalLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * What this process keeps of one entity type: entries under their keys, never more than the limits allow. What comes is always kept,
 * and others go for it in the order of the eviction. An entry is there until its `keepUntil`, fresh or not: which it is, the reader
 * sees by `freshUntil`. It goes when it is next asked for after that, or for room; nothing looks for such entries.
 */
export class LocalTier {
  readonly #store: EvictionStore;
  readonly #tags = new TagIndex();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #timing: Pick<Timing, 'now'>;
  #bytes = 0;
  #evictions = 0;

  /** @param limits `maxEntries` is a whole number from 1. */
  constructor(eviction: Eviction, { maxEntries, maxBytes }: LocalLimits, timing: Pick<Timing, 'now'>) {
    this.#store = STORES[eviction](maxEntries);
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#timing = timing;
  }

  /** How many entries there are, those included whose time is over and that nobody has asked for since. */
  get size(): number {
    return this.#store.size;
  }

  /** About how much memory they take, by their own account. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many tags its entries have, each counted once. */
  get tags(): number {
    return this.#tags.size;
  }

  /** How many entries have gone, so far, to make room for others. */
  get evictions(): number {
    return this.#evictions;
  }

  /** The entry that is kept, fresh or not. */
  get(key: string): LocalEntry | undefined {
    const entry = this.#store.get(key);
    if (entry === undefined || entry.keepUntil > this.#timing.now()) return entry;
    this.delete(key);
    return undefined;
  }

  /** Puts an entry in place of what is under its key. One that is greater than `maxBytes` is not kept, and nothing is there then. */
  set(key: string, entry: LocalEntry): void {
    if (entry.bytes > this.#maxBytes) {
      this.delete(key);
      return;
    }
    const former = this.#makeRoom(key, entry.bytes);
    if (former) this.#forget(key, former);
    this.#store.set(key, entry);
    this.#tags.add(key, entry.tags);
    this.#bytes += entry.bytes;
  }

  /** Tells whether there was an entry. */
  delete(key: string): boolean {
    const entry = this.#store.delete(key);
    if (entry) this.#forget(key, entry);
    return entry !== undefined;
  }

  /** Deletes every entry that has a tag, and tells how many there were. */
  deleteTagged(tag: string): number {
    const keys = this.#tags.keysOf(tag);
    for (const key of keys) this.delete(key);
    return keys.length;
  }

  clear(): void {
    this.#store.clear();
    this.#tags.clear();
    this.#bytes = 0;
  }

  /** Answers with the entry whose place is taken, if it is still there. */
  #makeRoom(key: string, bytes: number): LocalEntry | undefined {
    let former = this.#store.peek(key);
    while (this.#isFull(former, bytes)) {
      const gone = this.#store.evict();
      if (!gone) break;
      this.#forget(gone.key, gone.entry);
      // The entry whose place is taken makes no room for another.
      if (gone.key === key) former = undefined;
      else this.#evictions += 1;
    }
    return former;
  }

  #isFull(former: LocalEntry | undefined, bytes: number): boolean {
    const entries = this.#store.size + (former ? 0 : 1);
    return entries > this.#maxEntries || this.#bytes - (former?.bytes ?? 0) + bytes > this.#maxBytes;
  }

  #forget(key: string, entry: LocalEntry): void {
    this.#tags.remove(key, entry.tags);
    this.#bytes -= entry.bytes;
  }
}

const STORES: Readonly<Record<Eviction, (maxEntries: number) => EvictionStore>> = {
  lru: (maxEntries) => new RecencyStore(maxEntries, true),
  fifo: (maxEntries) => new RecencyStore(maxEntries, false),
  lfu: () => new FrequencyStore(),
  ttl: () => new ExpiryStore(),
};
