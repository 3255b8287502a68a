import type { Eviction } from './local-tier.js';

/**
 * What a reader may see:
 *
 * - `strong`: nothing that was overwritten or deleted before the read began, whatever fails. A value of tier one is compared with tier
 *   two first; a write waits until tier two has confirmed, or until nothing older can be there any more.
 * - `eventual`: one's own process as with `strong`; others hear of a write at once while both reach tier two. What a process keeps for
 *   itself it trusts for two seconds without a sign of life of tier two. What a process could not take away from there before it ended
 *   goes with its time to live.
 * - `none`: it is not cached.
 */
export type Consistency = 'strong' | 'eventual' | 'none';

/** How long a value is fresh: 5 minutes, 30 minutes, 2 hours, or so many milliseconds. */
export type TimeToLive = 'short' | 'medium' | 'long' | number;

/** How values of one kind are cached. */
export interface CachePolicy {
  /** `eventual` unless given. */
  readonly consistency?: Consistency;
  /** `medium` unless given; each value's differs by up to a tenth, so that those stored together do not expire together. */
  readonly timeToLive?: TimeToLive;
  /** How long it is known that there is nothing, in milliseconds; 30 seconds unless given, 0 for never. */
  readonly negativeTimeToLive?: number;
  /**
   * How much longer a value is kept, in milliseconds, for when a load fails or takes longer than `softTimeout`; 0 unless given. What was
   * overwritten is never kept, and with `strong` nothing is.
   */
  readonly grace?: number;
  /** After so many milliseconds of a load a value within its grace is served; the load goes on. Never unless given. */
  readonly softTimeout?: number;
  /** After so many milliseconds a load is given up with LoadTimeoutError; never unless given, for a database has limits of its own. */
  readonly hardTimeout?: number;
  /** Whether whoever would wait for another's load takes a value within its grace; false unless given. */
  readonly staleWhileLoading?: boolean;
  /** How many values one process keeps: 10,000 unless given. */
  readonly maxEntries?: number;
  /** About how many bytes of memory they may take: 64 MiB unless given. */
  readonly maxBytes?: number;
  /** Which value goes when there is no room; `lru` unless given. */
  readonly eviction?: Eviction;
  /** How many of a tenant's newest rows are loaded when a database is opened; 0 unless given. */
  readonly preload?: number;
}

export type ResolvedPolicy = Readonly<Required<Omit<CachePolicy, 'timeToLive'>>> & { readonly timeToLive: number };

const MINUTE = 60_000;

export const TIMES_TO_LIVE: Readonly<Record<Exclude<TimeToLive, number>, number>> = {
  short: 5 * MINUTE,
  medium: 30 * MINUTE,
  long: 120 * MINUTE,
};

const DEFAULTS: Required<CachePolicy> = {
  consistency: 'eventual',
  timeToLive: 'medium',
  negativeTimeToLive: 30_000,
  grace: 0,
  softTimeout: Infinity,
  hardTimeout: Infinity,
  staleWhileLoading: false,
  maxEntries: 10_000,
  maxBytes: 64 * 1_024 * 1_024,
  eviction: 'lru',
  preload: 0,
};

const ONE_OF: Readonly<Partial<Record<keyof CachePolicy, readonly string[]>>> = {
  consistency: ['strong', 'eventual', 'none'],
  eviction: ['lru', 'lfu', 'fifo', 'ttl'],
};
const AT_LEAST_ONE: ReadonlySet<string> = new Set([
  'maxEntries',
  'maxBytes',
  'softTimeout',
  'hardTimeout',
  'timeToLive',
]);
const WHOLE: ReadonlySet<string> = new Set(['maxEntries', 'maxBytes', 'preload']);

/** The policy with its defaults. What is wrong with it is added to `problems`, which names it `name`. */
export function resolvePolicy(policy: CachePolicy, name: string, problems: string[]): ResolvedPolicy {
  const resolved = { ...DEFAULTS, ...policy };
  for (const [key, value] of Object.entries(resolved) as [keyof CachePolicy, unknown][]) {
    const problem = problemOf(key, value);
    if (problem !== undefined) problems.push(`${name}.${key} ${problem}`);
  }
  const { timeToLive, consistency, grace } = resolved;
  return Object.freeze({
    ...resolved,
    timeToLive: typeof timeToLive === 'number' ? timeToLive : TIMES_TO_LIVE[timeToLive],
    grace: consistency === 'strong' ? 0 : grace,
  });
}

function problemOf(key: keyof CachePolicy, value: unknown): string | undefined {
  if (!Object.hasOwn(DEFAULTS, key)) return 'is unknown';
  if (key === 'staleWhileLoading') return typeof value === 'boolean' ? undefined : 'must be true or false';
  const texts = ONE_OF[key];
  if (texts) return texts.includes(value as string) ? undefined : `must be one of ${texts.join(', ')}`;
  if (key === 'timeToLive' && typeof value === 'string') {
    return Object.hasOwn(TIMES_TO_LIVE, value) ? undefined : 'must be short, medium, long or a number of milliseconds';
  }
  const least = AT_LEAST_ONE.has(key) ? 1 : 0;
  if (typeof value !== 'number' || !(value >= least)) return `must be a number from ${String(least)}`;
  if (WHOLE.has(key) && !Number.isInteger(value)) return 'must be a whole number';
  return undefined;
}
