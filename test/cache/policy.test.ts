import { describe, expect, it } from 'vitest';
import type { CachePolicy } from '../../src/cache/policy.js';
import { Caches } from './support/caches.js';

describe('A cache', () => {
  it.each<[CachePolicy, string]>([
    [{ consistency: 'some' as never }, 'rows.consistency must be one of strong, eventual, none'],
    [{ eviction: 'random' as never }, 'rows.eviction must be one of lru, lfu, fifo, ttl'],
    [{ timeToLive: 'forever' as never }, 'rows.timeToLive must be short, medium, long or a number of milliseconds'],
    [{ timeToLive: 0 }, 'rows.timeToLive must be a number from 1'],
    [{ timeToLive: Number.NaN }, 'rows.timeToLive must be a number from 1'],
    [{ negativeTimeToLive: -1 }, 'rows.negativeTimeToLive must be a number from 0'],
    [{ grace: '1' as never }, 'rows.grace must be a number from 0'],
    [{ softTimeout: 0 }, 'rows.softTimeout must be a number from 1'],
    [{ hardTimeout: 0 }, 'rows.hardTimeout must be a number from 1'],
    [{ staleWhileLoading: 'yes' as never }, 'rows.staleWhileLoading must be true or false'],
    [{ maxEntries: 1.5 }, 'rows.maxEntries must be a whole number'],
    [{ maxBytes: 0 }, 'rows.maxBytes must be a number from 1'],
    [{ preload: 0.5 }, 'rows.preload must be a whole number'],
    [{ ttl: 5 } as never, 'rows.ttl is unknown'],
    [{ grace: -1, maxEntries: 0 }, 'rows.grace must be a number from 0; rows.maxEntries must be a number from 1'],
  ])('refuses the policy %j by its name', (policy, message) => {
    const { cache } = new Caches().openAlone();
    expect(() => cache.region('rows', policy)).toThrow(new TypeError(message));
  });

  it('refuses a second kind of one name', () => {
    const { cache } = new Caches().openAlone();
    cache.region('rows');
    expect(() => cache.region('rows')).toThrow(new TypeError('there is a region rows already'));
  });
});
