import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { availableRedis } from '../support/available-redis.js';
import { colloquy, colloquyInTurn } from '../support/command-line.js';
import { populate } from '../support/furnish.js';
import { SOON } from '../support/redis-links.js';
import { temporaryUrl } from '../support/temporary-folder.js';

const server = await availableRedis();
const redisUrl = typeof server === 'string' ? '' : server.url;
const NOBODY = 'redis://:s3cr3t@127.0.0.1:1';

afterAll(async () => {
  if (typeof server !== 'string') await server.close();
});

/** A manager of a database with two tenants of two users each, which caches in Redis. */
async function running() {
  const databaseUrl = temporaryUrl();
  const persistence = await PersistenceManager.open({ databaseUrl, redisUrl });
  onTestFinished(() => persistence.close());
  onTestFinished(() => persistence.cache.clear());
  const ids: string[] = [];
  for (const slug of ['acme', 'beta']) {
    const { tenant, userId } = await populate(persistence, slug);
    ids.push(userId, (await tenant.users.create({ externalId: 'second', username: 'second' })).id);
  }
  // What Redis has not confirmed to be gone is not cached again.
  await vi.waitFor(() => expect(persistence.cache.statistics()).toMatchObject({ isUp: true, unconfirmed: 0 }), SOON);
  return { databaseUrl, persistence, ids };
}

/** Reads a user until the cache answers. */
async function cached(persistence: PersistenceManager, id: string): Promise<void> {
  await vi.waitFor(async () => {
    const { cache } = persistence;
    const before = cache.statistics().regions['users']?.loads;
    await persistence.tenant('acme').users.get(id);
    expect(cache.statistics().regions['users']?.loads).toBe(before);
  }, SOON);
}

describe.skipIf(redisUrl === '')(`colloquy cache${typeof server === 'string' ? ` (skipped: ${server})` : ''}`, () => {
  it('counts what is cached, loads the newest rows, and forgets them, of all tenants or of one', async () => {
    const { databaseUrl, persistence } = await running();
    const results = await colloquyInTurn(
      [
        ['cache', 'stats'],
        ['cache', 'warm', '--rows', '1', '--json'],
        ['cache', 'stats', '--json'],
        ['cache', 'warm'],
        ['cache', 'stats', '--tenant', 'acme', '--json'],
        ['cache', 'clear', '--tenant', 'acme', '--json'],
        ['cache', 'stats', '--json'],
        ['cache', 'stats'],
        ['cache', 'clear'],
        ['cache', 'stats', '--json'],
      ],
      { url: databaseUrl, env: { REDIS_URL: redisUrl } },
    );
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(results.map(() => [0, '']));
    const texts = results.map(({ stdout }) => stdout);
    const json = (index: number) => JSON.parse(texts[index] ?? '') as Record<string, unknown>;
    const { database } = persistence;
    expect(texts[0]).toContain('Redis holds nothing of it.');
    expect(json(1)).toEqual({ database, rows: 4 });
    expect(json(2)).toMatchObject({ database, entries: { users: 2, conversations: 2 } });
    expect(texts[3]).toBe('Loaded: 6 rows.\n');
    expect(json(4)).toMatchObject({ entries: { users: 2, conversations: 1 } });
    expect(json(5)).toEqual({ database, tenant: 'acme' });
    expect(json(6)).toMatchObject({ entries: { users: 2, conversations: 1 } });
    expect(texts[7]).toMatch(/Redis holds\n +conversations +1\n +users +2\n/);
    expect(texts[8]).toBe('Forgotten: what was cached of all tenants.\n');
    expect(json(9)).toMatchObject({ entries: {} });
  });

  it('shows how a process does that is running', async () => {
    const { databaseUrl, persistence, ids } = await running();
    await cached(persistence, ids[0] ?? '');
    const name = `:${String(process.pid)}`;
    // It says so every five seconds.
    await vi.waitFor(async () => {
      const { processes } = await persistence.cache.sharedStatistics();
      expect(processes.find((each) => each.name.endsWith(name))?.regions['users']?.loads).toBeGreaterThan(0);
    }, SOON);
    const [text, json] = await colloquyInTurn(
      [
        ['cache', 'stats'],
        ['cache', 'stats', '--json'],
      ],
      {
        url: databaseUrl,
        env: { REDIS_URL: redisUrl },
      },
    );
    expect(text?.stdout).toMatch(new RegExp(`Process \\S+${name}\n[^\n]*reads +hits[^\n]*\n +users +\\d+ +[\\d.]+ %`));
    expect(json?.stdout).toContain(name);
  });

  it('makes a process that is running forget what it keeps', async () => {
    const { databaseUrl, persistence, ids } = await running();
    const [id = ''] = ids;
    const { users } = persistence.tenant('acme');
    await cached(persistence, id);
    const beside = await PersistenceManager.open({ databaseUrl, cache: false });
    onTestFinished(() => beside.close());
    await beside.tenant('acme').users.update(id, { nickname: 'written beside' });
    expect((await users.get(id)).nickname).toBeNull();
    const { code } = await colloquy(['cache', 'clear', '--tenant', 'acme'], {
      url: databaseUrl,
      env: { REDIS_URL: redisUrl },
    });
    expect(code).toBe(0);
    await vi.waitFor(async () => expect((await users.get(id)).nickname).toBe('written beside'), SOON);
  });

  it('says that there is no such tenant', async () => {
    const { databaseUrl } = await running();
    const results = await colloquyInTurn(
      ['clear', 'stats', 'warm'].map((name) => ['cache', name, '--tenant', 'nobody']),
      { url: databaseUrl, env: { REDIS_URL: redisUrl } },
    );
    for (const { code, stderr, stdout } of results) {
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toContain('nobody');
    }
  });
});

describe('colloquy cache without Redis', () => {
  const COMMANDS = ['clear', 'stats', 'warm'].map((name) => ['cache', name]);

  it.each<[string, string, number, RegExp]>([
    ['where none is named', '', 2, /REDIS_URL must name/],
    ['where the name cannot be read', 'http://:s3cr3t@example.com', 2, /REDIS_URL: The URL of Redis cannot be read/],
    ['where the name is wrong', 'redis://u:s3cr3t@example.com:99999', 2, /REDIS_URL: The URL of Redis is wrong/],
    ['where it is away', NOBODY, 3, /Redis/],
  ])('ends with the exit code that says so, %s', async (_what, url, code, says) => {
    const results = await colloquyInTurn([...COMMANDS, ...COMMANDS.map((command) => [...command, '--json'])], {
      url: temporaryUrl(),
      env: { REDIS_URL: url },
    });
    for (const [index, { code: ended, stdout, stderr }] of results.entries()) {
      const isJson = index >= COMMANDS.length;
      expect([ended, isJson ? Object.keys(JSON.parse(stdout) as object) : stdout]).toEqual([
        code,
        isJson ? ['error'] : '',
      ]);
      expect(stdout + stderr).toMatch(says);
      expect(stdout + stderr).not.toContain('s3cr3t');
    }
  });

  it('refuses a number of rows that is none, and prints its help', async () => {
    const numbers = ['0', '-1', '1.5', 'many', '100001', '1e3', ''];
    const results = await colloquyInTurn(
      [...numbers.map((rows) => ['cache', 'warm', `--rows=${rows}`]), ...COMMANDS.map((each) => [...each, '--help'])],
      { url: temporaryUrl(), env: { REDIS_URL: NOBODY } },
    );
    expect(results.map(({ code }) => code)).toEqual([...numbers.map(() => 2), 0, 0, 0]);
    for (const { stderr } of results.slice(0, numbers.length)) expect(stderr).toContain('--rows');
    for (const { stdout } of results.slice(numbers.length)) {
      expect(stdout).toMatch(/^Usage: colloquy cache \w+ [\s\S]*--tenant <slug>[\s\S]*--json/);
    }
  });
});
