import { LRUCache } from 'lru-cache';
import { NullTier } from '../../src/cache/null-tier.js';
import type { SharedTier } from '../../src/cache/shared-tier.js';
import { cachePeers } from '../peers/cache-peers.js';
import { compare, type Comparison, OURS, type RateOf, rateOfLoop, type RoundOptions } from './compare.js';
import type { BenchRedis } from './redis.js';
import { at, type Cached, cachedUsers, noHit, openTiers } from './values.js';

const VALUES = 1_000;

/** A read that this process's memory answers: ours, of the map that it is made of, and of other libraries. */
export async function compareTierOne(redis: BenchRedis | undefined, options: RoundOptions): Promise<Comparison> {
  const values = cachedUsers(VALUES);
  const sides = new Map<string, RateOf>([
    ['lru-cache', ofLruCache(values)],
    [OURS, await ofRegion(new NullTier({ localMaxAge: Infinity }), values)],
  ]);
  const ended: (() => Promise<void>)[] = [];
  if (redis) {
    const tier = await redis.openTier();
    sides.set(`${OURS} over Redis`, await ofRegion(tier, values));
    ended.push(() => tier.close());
  }
  for (const [name, open] of Object.entries(cachePeers().memory)) {
    const peer = await (await open())(values);
    sides.set(name, rateOfLoop(peer.loop));
    ended.push(peer.close);
  }
  try {
    return await compare('tier one', sides, options);
  } finally {
    for (const end of ended) await end();
  }
}

function ofLruCache(values: readonly Cached[]): RateOf {
  const cache = new LRUCache<string, object>({ max: 10 * VALUES });
  for (const { address, row } of values) cache.set(address.key, row);
  let place = 0;
  return rateOfLoop((count) => {
    for (let index = 0; index < count; index += 1) {
      if (cache.get(at(values, place++).address.key) === undefined) throw new Error('no hit');
    }
  });
}

async function ofRegion(shared: SharedTier, values: readonly Cached[]): Promise<RateOf> {
  const region = openTiers(shared).region<object>('users');
  for (const { address, row } of values) await region.getOrLoad(address, async () => row);
  let place = 0;
  return rateOfLoop(async (count) => {
    for (let index = 0; index < count; index += 1) await region.getOrLoad(at(values, place++).address, noHit);
  });
}
