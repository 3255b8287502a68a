import keyvTestSuite from '@keyv/test-suite';
import { Keyv, type KeyvOptions } from 'keyv';
import * as vitest from 'vitest';
import { LocalTier, type Eviction } from '../../src/cache/local-tier.js';
import { sizeOf } from '../../src/cache/plain-data.js';
import { Serializer } from '../../src/cache/serializer.js';
import { KeyvAdapter, type KeyvCache } from './support/keyv-adapter.js';

const { describe } = vitest;

/** A local tier of texts. Whatever else can do what a {@link KeyvCache} does may stand in its place. */
function tierOfTexts(eviction: Eviction): KeyvCache {
  // The suite makes the time of day go on, and waits for nothing.
  const timing = { now: () => Date.now() };
  const tier = new LocalTier(eviction, { maxEntries: 1_000, maxBytes: 1_000_000 }, timing);
  const serializer = new Serializer();
  return {
    get(key) {
      const entry = tier.get(key);
      return entry && serializer.deserialize(entry.value as string);
    },
    set(key, value, milliseconds = Number.POSITIVE_INFINITY, tags) {
      const text = serializer.serialize(value);
      const until = timing.now() + milliseconds;
      tier.set(key, { value: text, version: '', bytes: sizeOf(text), freshUntil: until, keepUntil: until, tags });
    },
    delete: (key) => tier.delete(key),
    invalidate(tag) {
      tier.deleteTagged(tag);
    },
    clear: () => tier.clear(),
  };
}

/** Keyv that leaves it to its storage to make a text of a value. */
class PlainKeyv extends Keyv {
  constructor(options: KeyvOptions = {}) {
    super({ ...UNSERIALIZED, ...options });
  }
}

const UNSERIALIZED = { serialize: undefined, deserialize: undefined } as unknown as KeyvOptions;

describe.each<Eviction>(['lru', 'lfu', 'fifo', 'ttl'])('Keyv over a local tier that makes room by %s', (eviction) => {
  const cache = tierOfTexts(eviction);

  describe('with the texts of Keyv', () => {
    keyvTestSuite(vitest, Keyv, () => new KeyvAdapter(cache));
  });

  describe('with the texts of the cache', () => {
    keyvTestSuite(vitest, PlainKeyv, () => new KeyvAdapter(cache));
  });
});
