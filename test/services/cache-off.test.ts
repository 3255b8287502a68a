import { expect, it } from 'vitest';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { availableRedis } from '../support/available-redis.js';
import { freshUrl } from '../support/engine-under-test.js';

const redis = await availableRedis();

it.skipIf(typeof redis === 'string')(
  `a manager that caches nothing tells those that do what it has written${typeof redis === 'string' ? `: ${redis}` : ''}`,
  async () => {
    const databaseUrl = await freshUrl();
    const redisUrl = typeof redis === 'string' ? '' : redis.url;
    await using writer = await PersistenceManager.open({ databaseUrl, redisUrl, cache: false });
    await using reader = await PersistenceManager.open({ databaseUrl, redisUrl });
    await writer.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const [mine, theirs] = [writer.tenant('acme'), reader.tenant('acme')];
    const { id } = await mine.users.create({ externalId: 'ada', username: 'ada' });
    const chat = await mine.conversations.start({ userId: id });
    await theirs.users.get(id);
    await theirs.conversations.get(chat.id);
    await mine.users.update(id, { username: 'renamed' });
    await mine.messages.append(chat.id, { role: 'user', content: 'hello' });
    await expect.poll(async () => (await theirs.users.get(id)).username).toBe('renamed');
    await expect.poll(async () => (await theirs.conversations.get(chat.id)).messageCount).toBe(1);
    expect(writer.cache.statistics().regions).toEqual({});
    await reader.cache.clear();
  },
);
