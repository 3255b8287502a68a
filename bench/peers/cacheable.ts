import KeyvRedis from '@keyv/redis';
import { Cacheable, createKeyv } from 'cacheable';
import { at, type Cached, noHit } from '../cache/values.js';
import type { MemoryPeer, OpenMemory, OpenRedis } from './cache-peers.js';

async function memory(values: readonly Cached[], cache: Cacheable): Promise<MemoryPeer> {
  for (const { address, row } of values) await cache.set(address.key, row, '1h');
  let place = 0;
  return {
    async loop(count) {
      for (let index = 0; index < count; index += 1) await cache.getOrSet(at(values, place++).address.key, noHit);
    },
    close: () => cache.disconnect(),
  };
}

export const openMemory: OpenMemory = (values) => memory(values, new Cacheable());

/** See https://cacheable.org/docs/memory: without clones, every reader gets the same object. */
export const openMemoryWithoutCopies: OpenMemory = (values) =>
  memory(values, new Cacheable({ primary: createKeyv({ useClone: false }) }));

/** Its memory keeps a tenth of the values, which are read round and round: what is asked for has gone, so each read is one of Redis. */
export const openRedis: OpenRedis = async (values, { url, prefix }) => {
  const secondary = new KeyvRedis(url, { namespace: prefix });
  const cache = new Cacheable({ primary: createKeyv({ lruSize: values.length / 10 }), secondary });
  for (const { address, row } of values) await cache.set(address.key, row, '1h');
  let place = 0;
  return {
    read: () => cache.getOrSet(at(values, place++).address.key, noHit),
    close: () => cache.disconnect(),
  };
};
