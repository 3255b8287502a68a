import type { RedisLink } from './redis-link.js';
import { RedisServerLink } from './redis-server-link.js';
import { type RedisInput, resolveRedis } from './redis-settings.js';
import type { Timing } from './timing.js';

/**
 * Opens the link to a Redis server. Where it is away, this takes no longer than `connectTimeout` and one command, and the link looks
 * for it from then on.
 *
 * @throws TypeError if the URL cannot be read; no part of it is shown.
 */
export async function connectRedis(input: RedisInput, timing: Timing): Promise<RedisLink> {
  const settings = resolveRedis(input);
  // Whoever uses no Redis loads no client of it.
  const library = await import('ioredis');
  const link = new RedisServerLink({ library, settings, timing });
  await link.tried;
  return link;
}
