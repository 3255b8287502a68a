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
