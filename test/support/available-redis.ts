import { Redis } from 'ioredis';
import { NO_OWN_REDIS, startOwnRedis } from './own-redis.js';

const LOCAL = 'redis://127.0.0.1:6379';

/** A server that is there for tests which leave it as it was. */
export interface AvailableRedis {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The server that `TEST_REDIS_URL` names, else the one on 127.0.0.1:6379, else one that is started; or why none can be had, to say so
 * where tests are skipped. Others may use it at the same time: keys need a prefix of the test's own.
 */
export async function availableRedis(): Promise<AvailableRedis | string> {
  const named = process.env['TEST_REDIS_URL'];
  const url = named || LOCAL;
  const absent = await whyAbsent(url);
  if (absent === undefined) return { url, close: () => Promise.resolve() };
  if (named) return `the server that TEST_REDIS_URL names cannot be used (${absent})`;
  if (NO_OWN_REDIS !== undefined) return `there is no server at ${LOCAL} (${absent}), and ${NO_OWN_REDIS}`;
  return startOwnRedis();
}

async function whyAbsent(url: string): Promise<string | undefined> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: 2_000 });
  let trouble: Error | undefined;
  client.on('error', (error) => (trouble = error));
  try {
    await client.connect();
    await client.ping();
    return undefined;
  } catch (error) {
    return (trouble ?? (error as Error)).message;
  } finally {
    client.disconnect();
  }
}
