import { randomUUID } from 'node:crypto';
import keyvTestSuite from '@keyv/test-suite';
import { Keyv, type KeyvOptions } from 'keyv';
import * as vitest from 'vitest';
import { LocalTier, type Eviction } from '../../src/cache/local-tier.js';
import { sizeOf } from '../../src/cache/plain-data.js';
import { connectRedis } from '../../src/cache/ioredis-link.js';
import { RedisTier } from '../../src/cache/redis-tier.js';
import { Serializer } from '../../src/cache/serializer.js';
import { TieredCache } from '../../src/cache/tiered-cache.js';
import { createRuntime, systemTiming } from '../../src/runtime.js';
import { availableRedis } from '../support/available-redis.js';
import { MACHINE_TIMING } from '../support/machine-timing.js';
import { KeyvAdapter, type KeyvCache } from './support/keyv-adapter.js';

const { afterAll, describe } = vitest;
const redis = await availableRedis();

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

function tagOf(tag: string): string {
  return `{keyv}:tag:${tag}`;
}

function address(key: string, tags: readonly string[]) {
  return { key: `{keyv}:${key}`, tags: tags.map(tagOf) };
}

/** The finished cache, both tiers of it, without its loads. */
async function openStore(url: string): Promise<KeyvCache & { close(): Promise<void> }> {
  // As above, the suite makes the time of day go on.
  const timing = { ...systemTiming(createRuntime()), now: () => Date.now(), wallClock: () => Date.now() };
  // A name of its own for each run, on a server that others use, too.
  const tier = new RedisTier(await connectRedis({ url, commandTimeout: 5_000 }, MACHINE_TIMING), {
    namespace: `keyv ${randomUUID()}`,
    token: () => randomUUID(),
  });
  const cache = new TieredCache({ shared: tier, timing });
  const values = cache.store({ maxEntries: 1_000, maxBytes: 1_000_000 });
  return {
    get: (key, tags) => values.get(address(key, tags)),
    set: (key, value, milliseconds = 3_600_000, tags) => values.set(address(key, tags), value, milliseconds),
    async delete(key, tags) {
      const isThere = (await values.get(address(key, tags))) !== undefined;
      await cache.invalidate({ keys: [address(key, tags).key], tags: [] });
      return isThere;
    },
    invalidate: (tag) => cache.invalidate({ keys: [], tags: [tagOf(tag)] }),
    clear: () => cache.clear(),
    async close() {
      await cache.clear();
      await cache.close();
    },
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

if (typeof redis === 'string') {
  describe.skip(`Keyv over the cache and Redis: ${redis}`, () => vitest.it('does what Keyv asks of a storage'));
} else {
  const cache = await openStore(redis.url);
  afterAll(async () => {
    await cache.close();
    await redis.close();
  });

  describe('Keyv over the cache and Redis', () => {
    keyvTestSuite(vitest, PlainKeyv, () => new KeyvAdapter(cache));
  });
}
