import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import { at, type Cached, noHit } from '../cache/values.js';
import type { MemoryPeer, OpenMemory, OpenRedis } from './cache-peers.js';

const PLENTY = 100_000;

async function memory(values: readonly Cached[], serialize: boolean): Promise<MemoryPeer> {
  const store = bentostore().useL1Layer(memoryDriver({ maxItems: PLENTY, serialize }));
  const bento = new BentoCache({ default: 'users', stores: { users: store } });
  for (const { address, row } of values) await bento.set({ key: address.key, value: row, ttl: '1h' });
  let place = 0;
  return {
    async loop(count) {
      for (let index = 0; index < count; index += 1) {
        await bento.getOrSet({ key: at(values, place++).address.key, ttl: '1h', factory: noHit });
      }
    },
    close: () => bento.disconnectAll(),
  };
}

export const openMemory: OpenMemory = (values) => memory(values, true);

/** See https://bentocache.dev/docs/cache-drivers: without `serialize`, every reader gets the same object. */
export const openMemoryWithoutCopies: OpenMemory = (values) => memory(values, false);

/** Without a layer of memory, so that each read is one of Redis. */
export const openRedis: OpenRedis = async (values, { prefix, connect }) => {
  const store = bentostore().useL2Layer(redisDriver({ connection: connect(), prefix }));
  const bento = new BentoCache({ default: 'users', stores: { users: store } });
  for (const { address, row } of values) await bento.set({ key: address.key, value: row, ttl: '1h' });
  let place = 0;
  return {
    read: () => bento.getOrSet({ key: at(values, place++).address.key, ttl: '1h', factory: noHit }),
    close: () => bento.disconnectAll(),
  };
};
