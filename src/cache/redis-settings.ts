import { parseRedisUrl, type RedisPlace } from './redis-url.js';

/** How a link to Redis behaves; all times are milliseconds. */
export interface RedisSettings {
  /** How long connecting may take, until the server would take commands. */
  readonly connectTimeout: number;
  /** Every call ends within it. */
  readonly commandTimeout: number;
  /** How often the server is asked whether it is there, and which run of it that is. */
  readonly heartbeat: number;
  /** After so many calls in a row without an answer the server counts as away, and calls reject at once. */
  readonly failures: number;
  /** When a server that is away is asked for the first time; then after twice as long each time, … */
  readonly firstProbe: number;
  /** … up to this. */
  readonly lastProbe: number;
}

/** What holds where nothing else is said. */
export const REDIS_DEFAULTS: RedisSettings = Object.freeze({
  connectTimeout: 1_000,
  commandTimeout: 100,
  heartbeat: 500,
  failures: 3,
  firstProbe: 250,
  lastProbe: 2_000,
});

/** What can be said about a link. */
export interface RedisInput extends Partial<RedisSettings> {
  /**
   * `redis://[[USER]:PASSWORD@]HOST[:6379][/DATABASE]`, or `rediss://…` with TLS, where the parameters `ca`, `cert` and `key` name files
   * in PEM format. `redis-cluster://HOST:PORT,HOST:PORT` and `rediss-cluster://…` name some nodes of a cluster; the others are found.
   */
  readonly url: string;
}

/** Settings that are complete. */
export interface ResolvedRedis extends RedisSettings {
  readonly place: RedisPlace;
}

/** @throws TypeError saying what is wrong with the URL, without showing any part of it. */
export function resolveRedis({ url, ...settings }: RedisInput): ResolvedRedis {
  return Object.freeze({ ...REDIS_DEFAULTS, ...settings, place: parseRedisUrl(url) });
}
