import { describe, expect, it } from 'vitest';
import { User } from '../../src/entities/index.js';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { availableRedis } from '../support/available-redis.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openAcme } from '../support/open-manager.js';

const HOUR = 3_600_000;
const redis = await availableRedis();

function adas(manager: PersistenceManager): Promise<number> {
  return manager.tenant('acme').read(({ em }) => em.count(User, { username: 'ada' }, { cache: ['adas', HOUR] }));
}

describe("MikroORM's result cache", () => {
  it('gives what a query found as long as the query says, as entities with their types', async () => {
    const { tenant, userId } = await openAcme();
    const read = () =>
      tenant.read(async ({ em }) => {
        const found = await em.find(User, { externalId: 'acme-user' }, { cache: HOUR });
        return found.map(({ username, createdAt, metadata }) => ({ username, createdAt, metadata }));
      });
    const first = await read();
    await tenant.users.update(userId, { username: 'renamed', metadata: { new: true } });
    expect(await read()).toEqual(first);
    expect(first[0]?.createdAt).toBeInstanceOf(Date);
    // Without being asked to, it does not.
    const [now] = await tenant.read(({ em }) => em.find(User, { externalId: 'acme-user' }));
    expect(now).toMatchObject({ username: 'renamed', metadata: { new: true } });
  });

  it('gives every query its own copy', async () => {
    const { tenant, userId } = await openAcme();
    await tenant.users.update(userId, { metadata: { list: [1] } });
    const read = () => tenant.read(({ em }) => em.findOneOrFail(User, { externalId: 'acme-user' }, { cache: HOUR }));
    for (let round = 0; round < 3; round += 1) {
      const found = await read();
      expect(found.metadata).toEqual({ list: [1] });
      (found.metadata['list'] as number[]).push(2);
      found.createdAt.setTime(0);
    }
    expect((await read()).createdAt.getTime()).toBeGreaterThan(0);
  });

  it('forgets a name that is cleared', async () => {
    const { tenant } = await openAcme();
    const cache: [string, number] = ['how many', HOUR];
    const count = () => tenant.read(({ em }) => em.count(User, {}, { cache }));
    const before = await count();
    await tenant.users.create({ externalId: 'another', username: 'another' });
    expect(await count()).toBe(before);
    await tenant.read(({ em }) => em.clearCache('how many'));
    expect(await count()).toBe(before + 1);
  });

  it('ends with its time', async () => {
    const { tenant } = await openAcme();
    const count = () => tenant.read(({ em }) => em.count(User, {}, { cache: 1 }));
    const before = await count();
    await tenant.users.create({ externalId: 'another', username: 'another' });
    await expect.poll(count).toBe(before + 1);
  });

  it.skipIf(typeof redis === 'string')(
    `is shared by managers that have one Redis${typeof redis === 'string' ? `: ${redis}` : ''}`,
    async () => {
      const databaseUrl = await freshUrl();
      const redisUrl = typeof redis === 'string' ? '' : redis.url;
      await using first = await PersistenceManager.open({ databaseUrl, redisUrl });
      await using second = await PersistenceManager.open({ databaseUrl, redisUrl });
      await first.tenants.ensure({ slug: 'acme', name: 'Acme' });
      await first.tenant('acme').users.create({ externalId: 'ada', username: 'ada' });
      expect(await adas(first)).toBe(1);
      await second.tenant('acme').users.create({ externalId: 'another', username: 'ada' });
      expect(await adas(second)).toBe(1);
      await second.tenant('acme').read(({ em }) => em.clearCache('adas'));
      await expect.poll(() => adas(first)).toBe(2);
    },
  );
});
