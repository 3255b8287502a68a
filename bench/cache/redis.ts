import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { connectRedis } from '../../src/cache/ioredis-link.js';
import { RedisTier } from '../../src/cache/redis-tier.js';
import { TIMING } from './values.js';

/** In milliseconds; on a machine that is busy with other things, nothing is to be given up. */
const PATIENCE = 10_000;
const URL_OF_REDIS = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** A Redis server that may be in use otherwise, and what is written there by this run alone. */
export interface BenchRedis {
  readonly url: string;
  /** What the names of all keys begin with. */
  readonly prefix: string;
  readonly version: string;
  /** A connection of its own, as ioredis makes it. */
  readonly connect: () => Redis;
  openTier(): Promise<RedisTier>;
  /** Deletes what was written. */
  remove(): Promise<void>;
}

/** The server that TEST_REDIS_URL names, or the local one; undefined where there is none, which is said. */
export async function benchRedis(): Promise<BenchRedis | undefined> {
  const client = new Redis(URL_OF_REDIS, { lazyConnect: true, retryStrategy: null });
  let trouble: unknown;
  client.on('error', (error) => (trouble = error));
  try {
    await client.connect();
    const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown';
    const prefix = `colloquy-bench-${randomBytes(6).toString('hex')}`;
    return {
      url: URL_OF_REDIS,
      prefix,
      version,
      connect: () => new Redis(URL_OF_REDIS),
      async openTier() {
        return new RedisTier(await connectRedis({ url: URL_OF_REDIS, commandTimeout: PATIENCE }, TIMING), {
          namespace: prefix,
          token: newToken,
        });
      },
      remove: () => removeAll(prefix),
    };
  } catch (error) {
    process.stderr.write(`Redis is left out: ${String(trouble ?? error)}\n`);
    return undefined;
  } finally {
    client.disconnect();
  }
}

function newToken(): string {
  return randomBytes(12).toString('base64url');
}

async function removeAll(prefix: string): Promise<void> {
  const client = new Redis(URL_OF_REDIS);
  try {
    const names = client.scanStream({ match: `${prefix}*`, count: 1_000 }) as AsyncIterable<string[]>;
    for await (const each of names) if (each.length > 0) await client.unlink(each);
  } finally {
    client.disconnect();
  }
}
