import { inspect } from 'node:util';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CacheUnavailableError, type ColloquyError, ConfigurationError } from '../../src/errors.js';
import { type OpenOptions, PersistenceManager } from '../../src/services/persistence-manager.js';
import { populate } from '../support/furnish.js';
import { NO_OWN_REDIS, needsOwnRedis, startOwnRedis } from '../support/own-redis.js';
import { rejectionOf } from '../support/rejection.js';
import { temporaryUrl } from '../support/temporary-folder.js';

const SECRET = 's3cr3t';

async function open(options: OpenOptions = {}): Promise<PersistenceManager> {
  const persistence = await PersistenceManager.open({ databaseUrl: temporaryUrl(), ...options });
  onTestFinished(() => persistence.close());
  return persistence;
}

/** All that an error shows, however it is printed. */
function shownBy(error: ColloquyError): string {
  return inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + String(error.stack);
}

/** Reads a user twice, and gives how many of the reads the cache answered. */
async function hitsOf(persistence: PersistenceManager): Promise<number | undefined> {
  const { tenant, userId } = await populate(persistence, 'acme');
  for (let count = 0; count < 2; count += 1) await tenant.users.get(userId);
  return persistence.cache.statistics().regions['users']?.hits.local;
}

describe('What is cached', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('are rows, unless something else is said', async () => {
    expect(await hitsOf(await open())).toBe(1);
    const { regions } = (await open()).cache.statistics();
    const kinds = ['users', 'conversations', 'messages', 'documents', 'voiceSessions', 'tasks'];
    expect(Object.keys(regions)).toEqual(kinds.flatMap((kind) => [kind, `${kind} by key`]));
  });

  it.each<[string, OpenOptions, string | undefined]>([
    ['the option is false', { cache: false }, undefined],
    ['the variable is off', {}, 'off'],
    ['the option is false and the variable is on', { cache: false }, 'on'],
  ])('is nothing where %s', async (_what, options, variable) => {
    if (variable !== undefined) vi.stubEnv('COLLOQUY_CACHE', variable);
    const persistence = await open(options);
    expect(await hitsOf(persistence)).toBeUndefined();
    expect(persistence.cache.statistics().regions).toEqual({});
    expect(await persistence.cache.warm({ rows: { users: 10 } })).toBe(0);
  });

  it('is what the option says, where the variable is off', async () => {
    vi.stubEnv('COLLOQUY_CACHE', 'off');
    expect(await hitsOf(await open({ cache: { users: {} } }))).toBe(1);
  });

  it('is not what is not to be cached alone', async () => {
    const { cache } = await open({ cache: { users: { consistency: 'none' }, history: { consistency: 'strong' } } });
    const kinds = Object.keys(cache.statistics().regions);
    expect([kinds.includes('users'), kinds.includes('history'), kinds.includes('tasks')]).toEqual([false, true, true]);
  });

  it.each(['of', 'OFF', '0', 'false', SECRET])('cannot be said by the variable %j', async (value) => {
    vi.stubEnv('COLLOQUY_CACHE', value);
    const error = await rejectionOf(open(), ConfigurationError);
    expect(error.message).toContain('COLLOQUY_CACHE must be on or off');
    expect(shownBy(error)).not.toContain(SECRET);
  });

  it('is refused with everything that is wrong at once', async () => {
    const cache = {
      users: { consistency: 'sometimes', timeToLive: 0, maxEntries: 1.5, size: 3 },
      tasks: { grace: -1 },
      history: { preload: 5 },
      people: {},
    };
    const error = await rejectionOf(open({ cache: cache as never }), ConfigurationError);
    expect(error.problems).toEqual([
      'cache.people is unknown; what is cached is users, conversations, messages, documents, voiceSessions, tasks, history',
      'cache.users.consistency must be one of strong, eventual, none',
      'cache.users.timeToLive must be a number from 1',
      'cache.users.maxEntries must be a whole number',
      'cache.users.size is unknown',
      'cache.tasks.grace must be a number from 0',
      'cache.history.preload must be 0: it has no rows',
    ]);
  });

  it.each([
    `http://:${SECRET}@localhost`,
    `redis://user:${SECRET}`,
    `redis://:${SECRET}@host:port`,
    `redis://:${SECRET}@localhost:0`,
    `redis://:${SECRET}@localhost/${SECRET}`,
    `redis://:${SECRET}%zz@localhost`,
    `redis://:${SECRET}@localhost,other`,
    `redis-cluster://:${SECRET}@localhost/3`,
    `rediss://:${SECRET}@localhost?ca=/nowhere/${SECRET}`,
    SECRET,
  ])('is refused with the Redis %s, of which nothing is shown', async (redisUrl) => {
    const given = await rejectionOf(open({ redisUrl }), ConfigurationError);
    vi.stubEnv('REDIS_URL', redisUrl);
    const said = await rejectionOf(open(), ConfigurationError);
    for (const error of [given, said]) {
      expect(error.message).toContain('REDIS_URL: The URL of Redis');
      expect(shownBy(error)).not.toContain(SECRET);
    }
  });

  it('needs no Redis where nothing is cached or none is there, and shows no secret of one that is away', async () => {
    expect(await hitsOf(await open({ cache: false, redisUrl: `redis://:${SECRET}@127.0.0.1:1` }))).toBeUndefined();
    const persistence = await open({ redisUrl: `redis://user:${SECRET}@127.0.0.1:1` });
    const { tenant, userId } = await populate(persistence, 'acme');
    expect((await tenant.users.get(userId)).id).toBe(userId);
    const error = await rejectionOf(persistence.cache.sharedStatistics(), CacheUnavailableError);
    expect(shownBy(error)).not.toContain(SECRET);
    expect(() => persistence.cache.assertShared()).toThrow(CacheUnavailableError);
  });

  it('cannot be looked up by others where there is no Redis', async () => {
    const persistence = await open({ redisUrl: '' });
    await rejectionOf(persistence.cache.sharedStatistics(), ConfigurationError);
    expect(() => persistence.cache.assertShared()).toThrow(ConfigurationError);
  });

  describe.skipIf(NO_OWN_REDIS)(needsOwnRedis('in a Redis with a password'), () => {
    it('is in no error when the password is wrong', async () => {
      const redis = await startOwnRedis({ requirepass: 'right' });
      onTestFinished(() => redis.close());
      const at = `127.0.0.1:${String(redis.port)}`;
      const right = await open({ redisUrl: `redis://:right@${at}` });
      expect(right.cache.statistics().isUp).toBe(true);
      const wrong = await open({ redisUrl: `redis://:${SECRET}@${at}` });
      expect(wrong.cache.statistics().isUp).toBe(false);
      expect(await hitsOf(wrong)).toBe(0);
      expect(shownBy(await rejectionOf(wrong.cache.sharedStatistics(), CacheUnavailableError))).not.toContain(SECRET);
    });
  });
});
