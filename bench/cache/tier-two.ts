import { cachePeers } from '../peers/cache-peers.js';
import { callsPerSecond } from '../calls.js';
import { compare, type Comparison, OURS, type RateOf, type RoundOptions } from './compare.js';
import type { BenchRedis } from './redis.js';
import { at, type Cached, cachedUsers, noHit, openTiers } from './values.js';

/** Ten times as many as there are callers at once, so that no two of them wait for the same value. */
const VALUES = 1_000;
const KEPT = VALUES / 10;
const CALLERS = [1, 100] as const;

interface Reader {
  /** Reads the next value, round and round. */
  readonly read: () => unknown;
  readonly close: () => Promise<void>;
}

/** A read that Redis answers, by one caller and by many: ours, by ioredis alone with JSON.parse, and of other libraries. */
export async function compareTierTwo(redis: BenchRedis, options: RoundOptions): Promise<Record<string, Comparison>> {
  const values = cachedUsers(VALUES);
  const readers = new Map<string, Reader>([
    ['ioredis', await ofIoredis(redis, values)],
    [OURS, await ofRegion(redis, values)],
  ]);
  for (const [name, open] of Object.entries(cachePeers().redis)) {
    const prefix = `${redis.prefix}:${name}`;
    readers.set(name, await (await open())(values, { url: redis.url, prefix, connect: redis.connect }));
  }
  try {
    const results: Record<string, Comparison> = {};
    for (const callers of CALLERS) {
      const sides = new Map(
        [...readers].map(([name, { read }]): [string, RateOf] => [
          name,
          (duration, first) => callsPerSecond(read, callers, duration, first),
        ]),
      );
      const name = `tier two, ${String(callers)} ${callers === 1 ? 'caller' : 'callers'}`;
      results[name] = await compare(name, sides, options);
    }
    return results;
  } finally {
    for (const { close } of readers.values()) await close();
  }
}

async function ofIoredis(redis: BenchRedis, values: readonly Cached[]): Promise<Reader> {
  const client = redis.connect();
  const nameOf = ({ address }: Cached): string => `${redis.prefix}:raw:${address.key}`;
  for (const value of values) await client.set(nameOf(value), JSON.stringify(value.row), 'PX', 3_600_000);
  let place = 0;
  return {
    read: async () => JSON.parse((await client.get(nameOf(at(values, place++)))) ?? '') as unknown,
    close: async () => client.disconnect(),
  };
}

/**
 * Ours keeps a tenth of the values in the process, and reads them round and round: what is asked for is always what was read longest ago,
 * and has gone. That tier one answered nothing, and that nobody waited for another's read, the counters say in the end.
 */
async function ofRegion(redis: BenchRedis, values: readonly Cached[]): Promise<Reader> {
  const cache = openTiers(await redis.openTier());
  const region = cache.region<object>('users', { maxEntries: KEPT });
  for (const { address, row } of values) await region.getOrLoad(address, async () => row);
  const before = region.statistics();
  let place = 0;
  return {
    read: () => region.getOrLoad(at(values, place++).address, noHit),
    async close() {
      const { hits, misses, waits } = region.statistics();
      await cache.close();
      const others = [hits.local - before.hits.local, misses - before.misses, waits - before.waits];
      if (others.some((count) => count > 0)) throw new Error(`not all of tier two: ${others.join(', ')}`);
    },
  };
}
