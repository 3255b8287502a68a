import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { connectRedis } from '../cache/ioredis-link.js';
import { NullTier } from '../cache/null-tier.js';
import { RedisTier } from '../cache/redis-tier.js';
import type { SharedTier } from '../cache/shared-tier.js';
import { TieredCache } from '../cache/tiered-cache.js';
import { ConfigurationError } from '../errors.js';
import { type Runtime, systemTiming } from '../runtime.js';
import { CACHED_KINDS, type CachePolicies, cachePolicies, type CacheSettings } from './cached-kinds.js';
import { EntityCache } from './entity-cache.js';

/**
 * How old what a process has cached may be, in milliseconds, where other processes write to a server and no Redis tells of it: as long as
 * what is known of a tenant is believed.
 */
const UNTOLD_MAX_AGE = 1_000;

const NOTHING: CacheSettings = Object.fromEntries(CACHED_KINDS.map((kind) => [kind, { consistency: 'none' }]));

export interface CacheParts {
  /** Undefined where there is none. */
  readonly redisUrl: string | undefined;
  readonly policies: CachePolicies;
  readonly runtime: Runtime;
  /** What tells the database from others, the same for each process; undefined where only this process reaches it. */
  readonly origin: string | undefined;
  /** Changes with each commit of another process; undefined where the engine cannot tell. */
  readonly databaseVersion: (() => unknown) | undefined;
}

/** The policies of the settings; with false nothing is cached. @throws ConfigurationError naming everything that is wrong. */
export function configuredPolicies(settings: CacheSettings | false): CachePolicies {
  const problems: string[] = [];
  if (settings === false) return cachePolicies(NOTHING, problems);
  const policies = cachePolicies(settings, problems);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return policies;
}

/** @throws ConfigurationError when the URL of Redis cannot be used; where it is away, the cache does without. */
export async function openCache(parts: CacheParts): Promise<EntityCache> {
  const { runtime, policies } = parts;
  const timing = systemTiming(runtime);
  const told = new Set<string>();
  const onError = (error: unknown): void => {
    const { name, message, cause } = error instanceof Error ? error : new Error(String(error));
    if (told.has(name)) return;
    told.add(name);
    // What it does without is counted; that there is something to look after is said once.
    const reason = cause instanceof Error ? `${message} (${cause.message})` : message;
    process.emitWarning(`${reason}; the cache goes on without`, { type: 'ColloquyWarning', code: name });
  };
  const shared = await sharedTier(parts);
  if (!shared.isUp) await shared.reports().catch(onError);
  const cache = new TieredCache({ shared, timing, onError });
  void cache.report(`${hostname()}:${String(process.pid)}`);
  return new EntityCache(cache, timing, policies);
}

/** Redis is told of what is written also where nothing is cached: other processes may have other policies. */
async function sharedTier({ redisUrl, origin, databaseVersion, runtime }: CacheParts): Promise<SharedTier> {
  if (redisUrl === undefined || origin === undefined) {
    const isAlone = origin === undefined || databaseVersion !== undefined;
    return new NullTier({ localMaxAge: isAlone ? Infinity : UNTOLD_MAX_AGE, databaseVersion });
  }
  const namespace = `colloquy:${createHash('sha256').update(origin).digest('base64url').slice(0, 12)}`;
  const token = (): string => Buffer.from(runtime.random.bytes(12)).toString('base64url');
  try {
    return new RedisTier(await connectRedis({ url: redisUrl }, systemTiming(runtime)), { namespace, token });
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigurationError([`REDIS_URL: ${error.message}`]);
    throw error;
  }
}
