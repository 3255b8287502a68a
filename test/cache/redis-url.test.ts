import { describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/cache/ioredis-link.js';
import { REDIS_DEFAULTS, resolveRedis } from '../../src/cache/redis-settings.js';
import { parseRedisUrl } from '../../src/cache/redis-url.js';
import { MACHINE_TIMING } from '../support/machine-timing.js';

describe('The URL of Redis', () => {
  it.each([
    ['redis://localhost', { addresses: [{ host: 'localhost', port: 6379 }], database: 0 }],
    ['redis://10.0.0.1:7000/12', { addresses: [{ host: '10.0.0.1', port: 7000 }], database: 12 }],
    ['redis://[::1]:7000', { addresses: [{ host: '::1', port: 7000 }] }],
    ['redis://:p%40ss@h', { user: undefined, password: 'p@ss' }],
    ['redis://me:p@ss:w@h/0', { user: 'me', password: 'p@ss:w', addresses: [{ host: 'h', port: 6379 }] }],
    ['rediss://h', { isCluster: false, tls: {} }],
    [
      'redis-cluster://:secret@a:1,b:2',
      {
        isCluster: true,
        password: 'secret',
        addresses: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
    ['rediss-cluster://a,b', { isCluster: true, tls: {} }],
  ])('%s is read', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  it.each([
    ['', 'cannot be read'],
    ['http://secret', 'cannot be read'],
    ['redis://:secret@', 'a host is missing'],
    ['redis://:se/cret@host', 'a host is missing'],
    ['redis://:secret@host:70000', 'a port is none from 1 to 65535'],
    ['redis://:secret@host/one', 'the number of a database'],
    ['redis://:secret@a,b', 'several hosts are for redis-cluster://'],
    ['redis-cluster://:secret@a,b/3', 'a cluster has no database but 0'],
    ['redis://:secret%@host', 'not percent-encoded'],
    ['redis://secret@host', 'the password is missing'],
    ['redis://:secret@host?ca=/secret', 'ca is for rediss://'],
    ['rediss://host?ca=/no/such/secret', 'the file that ca names cannot be read'],
    ['rediss://host?secret=1', 'a parameter other than ca, cert, key'],
  ])('%s is refused, and not shown', async (url, problem) => {
    const opening = connectRedis({ url }, MACHINE_TIMING);
    await expect(opening).rejects.toThrow(TypeError);
    const { message } = (await opening.catch((error: Error) => error)) as Error;
    expect(message).toContain(problem);
    expect(message).not.toMatch(/secret|cret/);
  });

  it('is resolved to settings that nobody can change', () => {
    const settings = resolveRedis({ url: 'redis://host', commandTimeout: 50 });
    expect(settings).toMatchObject({ ...REDIS_DEFAULTS, commandTimeout: 50 });
    expect(Object.isFrozen(settings) && Object.isFrozen(settings.place)).toBe(true);
  });
});
