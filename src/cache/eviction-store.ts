import type { LocalEntry } from './local-tier.js';

export interface KeptEntry {
  readonly key: string;
  readonly entry: LocalEntry;
}

/** Entries under their keys, and which of them goes next. What the limits are, and when to make room, is not its concern. */
export interface EvictionStore {
  readonly size: number;
  /** Reads an entry, which is a use of it. */
  get(key: string): LocalEntry | undefined;
  /** Reads an entry without using it. */
  peek(key: string): LocalEntry | undefined;
  /** Adds an entry, or puts it in place of another under its key. */
  set(key: string, entry: LocalEntry): void;
  /** Takes an entry out and answers with it. */
  delete(key: string): LocalEntry | undefined;
  /** Takes out the entry that goes next, undefined while there is none. */
  evict(): KeptEntry | undefined;
  clear(): void;
}
