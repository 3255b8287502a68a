import { RedisClusterLink } from './redis-cluster-link.js';
import type { RedisLink } from './redis-link.js';
import { RedisServerLink } from './redis-server-link.js';
import { type RedisInput, resolveRedis } from './redis-settings.js';
import type { Timing } from './timing.js';

/**
 * Opens the link to a Redis server or a cluster. Where it is away, this takes no longer than `connectTimeout` and one command, and the link looks
 * for it from then on.
 *
 * @throws TypeError if the URL cannot be read; no part of it is shown.
 */
export async function connectRedis(input: RedisInput, timing: Timing): Promise<RedisLink> {
  const settings = resolveRedis(input);
  // Whoever uses no Redis loads no client of it.
  const library = await import('ioredis');
  const means = { library, settings, timing };
  const link = settings.place.isCluster ? new RedisClusterLink(means) : new RedisServerLink(means);
  await link.tried;
  return link;
}
