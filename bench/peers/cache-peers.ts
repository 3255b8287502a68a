import type { Redis } from 'ioredis';
import type { Cached } from '../cache/values.js';
import { peersMissing } from './index.js';

/** Reads so many values, one after the other. */
export interface MemoryPeer {
  readonly loop: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface RedisPeer {
  /** Reads the next value, round and round. */
  readonly read: () => unknown;
  readonly close: () => Promise<void>;
}

export interface PeerRedis {
  readonly url: string;
  /** What the names of all keys begin with. */
  readonly prefix: string;
  readonly connect: () => Redis;
}

export type OpenMemory = (values: readonly Cached[]) => Promise<MemoryPeer>;
export type OpenRedis = (values: readonly Cached[], redis: PeerRedis) => Promise<RedisPeer>;

interface CachePeers {
  readonly memory: Readonly<Record<string, () => Promise<OpenMemory>>>;
  readonly redis: Readonly<Record<string, () => Promise<OpenRedis>>>;
}

/** Loaded by a name that is computed, as the other libraries are. */
function load<Open>(file: string, name: string): () => Promise<Open> {
  return async () => ((await import(`./${file}.js`)) as Readonly<Record<string, Open>>)[name] as Open;
}

/** Other caches: as they are by themselves, and at the fastest that their documentation tells of. */
export function cachePeers(): CachePeers {
  const missing = peersMissing();
  if (missing !== undefined) {
    process.stderr.write(`Without other caches: ${missing}\n`);
    return { memory: {}, redis: {} };
  }
  return {
    memory: {
      bentocache: load('bentocache', 'openMemory'),
      'bentocache, no copies': load('bentocache', 'openMemoryWithoutCopies'),
      cacheable: load('cacheable', 'openMemory'),
      'cacheable, no copies': load('cacheable', 'openMemoryWithoutCopies'),
    },
    redis: { bentocache: load('bentocache', 'openRedis'), cacheable: load('cacheable', 'openRedis') },
  };
}
