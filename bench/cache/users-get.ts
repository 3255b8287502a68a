import { PersistenceManager, type OpenOptions } from '../../src/index.js';
import { type Arena, arenas } from '../arenas.js';
import { callsPerSecond } from '../calls.js';
import { compare, type Comparison, OURS, type RateOf, type RoundOptions } from './compare.js';
import type { BenchRedis } from './redis.js';
import { at } from './values.js';

const USERS = 100;

/**
 * `users.get` of a row that is cached, beside the same call of a manager that caches nothing, on one database. On a server, a process
 * that has no Redis reads each row again when it is a second old; with Redis it need not. Row-level security is off, as without it the
 * uncached read is faster.
 */
export async function compareUsersGet(
  engines: readonly string[],
  redis: BenchRedis | undefined,
  options: RoundOptions,
): Promise<Record<string, Comparison>> {
  const results: Record<string, Comparison> = {};
  for (const arena of (await arenas(engines)).filter(({ name }) => engines.includes(name))) {
    results[`users.get, ${arena.name}`] = await compareIn(arena, redis, options);
  }
  return results;
}

async function compareIn(arena: Arena, redis: BenchRedis | undefined, options: RoundOptions): Promise<Comparison> {
  const { persistence, database, remove } = await arena.open();
  const opened: PersistenceManager[] = [persistence];
  try {
    await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
    const { users } = persistence.tenant('bench');
    const ids: string[] = [];
    for (let index = 0; index < USERS; index += 1) {
      const name = `customer-${String(index)}`;
      const metadata = { plan: 'team', device: { name: 'phone', channel: 'web' } };
      ids.push((await users.create({ externalId: name, username: name, metadata })).id);
    }
    const databaseUrl = urlOf(database);
    const side = async (settings: Pick<OpenOptions, 'cache' | 'redisUrl'>): Promise<RateOf> => {
      const manager = await PersistenceManager.open({ databaseUrl, ...settings });
      opened.push(manager);
      const tenant = manager.tenant('bench');
      return (duration, first) => callsPerSecond((n) => tenant.users.get(at(ids, n)), 1, duration, first);
    };
    const sides = new Map<string, RateOf>([
      ['uncached', await side({ cache: false })],
      [OURS, await side({ redisUrl: '' })],
    ]);
    if (redis) sides.set(`${OURS} over Redis`, await side({ redisUrl: redis.url }));
    return await compare(`users.get, ${arena.name}`, sides, options);
  } finally {
    for (const manager of opened) await clear(manager);
    await remove();
  }
}

async function clear(manager: PersistenceManager): Promise<void> {
  await manager.cache.clear();
  await manager.close();
}

/** Of the database alone, whatever the arena opens it with. */
export function urlOf({ engine, address }: { readonly engine: string; readonly address: string }): string {
  if (engine === 'sqlite') return `sqlite:${address}`;
  const url = new URL(address);
  if (engine === 'postgresql') url.searchParams.set('rowLevelSecurity', 'false');
  return url.href;
}
