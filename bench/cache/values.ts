import { randomBytes, randomUUID } from 'node:crypto';
import type { Address } from '../../src/cache/shared-tier.js';
import { TieredCache } from '../../src/cache/tiered-cache.js';
import type { SharedTier } from '../../src/cache/shared-tier.js';
import type { Row, User } from '../../src/index.js';
import { systemTiming } from '../../src/runtime.js';
import { rowAddress } from '../../src/services/cache-keys.js';

const TENANT = randomUUID();

/** The time and the random numbers of the system. */
export const TIMING = systemTiming({
  clock: { now: () => new Date() },
  random: { bytes: (length) => randomBytes(length) },
});

/** What is cached: the row of a user, under the address that the services give it. */
export interface Cached {
  readonly address: Address;
  readonly row: Row<User>;
}

export function cachedUsers(count: number): Cached[] {
  return Array.from({ length: count }, (_unused, index) => {
    const id = randomUUID();
    const createdAt = new Date(Date.UTC(2026, 0, 1) + index * 60_000);
    const row = {
      id,
      tenantId: TENANT,
      createdAt,
      updatedAt: createdAt,
      externalId: `customer-${String(index)}`,
      username: `customer ${String(index)}`,
      nickname: null,
      email: `customer.${String(index)}@example.com`,
      phone: '+14155550123',
      metadata: { plan: 'team', locale: 'en-GB', device: { name: 'phone', channel: 'web' } },
      role: 'user',
      status: 'active',
      version: 1,
    };
    return { address: rowAddress(TENANT, 'users', id), row: row as Row<User> };
  });
}

/** Of a read that has to be a hit. */
export function noHit(): never {
  throw new Error('no hit');
}

export function openTiers(shared: SharedTier): TieredCache {
  return new TieredCache({ shared, timing: TIMING });
}

/** The item at a place, round and round. */
export function at<Item>(items: readonly Item[], place: number): Item {
  return items[place % items.length] as Item;
}
