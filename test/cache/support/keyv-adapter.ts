import type { IEventEmitter, KeyvStoreAdapter, StoredData } from 'keyv';

/** What Keyv needs of a cache. */
export interface KeyvCache {
  get(key: string, tags: readonly string[]): unknown;
  /** @param milliseconds How long it may be served; undefined where that has no end. */
  set(key: string, value: unknown, milliseconds: number | undefined, tags: readonly string[]): void | Promise<void>;
  delete(key: string, tags: readonly string[]): boolean | Promise<boolean>;
  invalidate(tag: string): void | Promise<void>;
  clear(): void | Promise<void>;
}

/** Makes a cache the storage of a Keyv; a namespace of Keyv is a tag. */
export class KeyvAdapter implements KeyvStoreAdapter {
  readonly opts = {};
  /** Keyv sets it. */
  namespace: string | undefined;
  readonly #cache: KeyvCache;

  constructor(cache: KeyvCache) {
    this.#cache = cache;
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return (await this.#cache.get(key, this.#tags)) as StoredData<Value> | undefined;
  }

  async set(key: string, value: unknown, milliseconds?: number): Promise<boolean> {
    await this.#cache.set(key, value, milliseconds, this.#tags);
    return true;
  }

  async delete(key: string): Promise<boolean> {
    return this.#cache.delete(key, this.#tags);
  }

  async clear(): Promise<void> {
    if (this.namespace === undefined) await this.#cache.clear();
    else await this.#cache.invalidate(this.namespace);
  }

  get #tags(): readonly string[] {
    return this.namespace === undefined ? [] : [this.namespace];
  }

  /** It has no events. */
  on(): IEventEmitter {
    return this;
  }
}
