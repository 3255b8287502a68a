import { expect, it } from 'vitest';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { open } from '../support/conformance.js';
import { ENGINES } from '../support/engines.js';
import { makeEveryEntity } from '../support/every-entity.js';

const PAIRS = ENGINES.flatMap((first) => ENGINES.map((second) => ({ first, second })));

async function slugsOf(persistence: PersistenceManager): Promise<string[]> {
  return (await persistence.tenants.list()).items.map(({ slug }) => slug);
}

it.each(PAIRS)('$first.name and $second.name: two managers work side by side in one process', async (pair) => {
  const managers = [await open(await pair.first.freshUrl()), await open(await pair.second.freshUrl())];
  const tenants = await Promise.all(managers.map(async (persistence) => makeEveryEntity(persistence, 'acme')));
  for (const acme of tenants) {
    const conversation = await acme.conversations.getByExternalId('web:1');
    await acme.transaction(async (unit) => {
      const managed = await unit.conversations.get(conversation.id);
      managed.metadata = { ...managed.metadata, changed: true };
      managed.lastMessageAt = new Date('2026-01-01T00:00:00.001Z');
    });
    const changed = await acme.conversations.getByExternalId('web:1');
    expect(changed).toMatchObject({ version: conversation.version + 1, metadata: { b: 1, a: 2, changed: true } });
    expect(changed.lastMessageAt).toEqual(new Date('2026-01-01T00:00:00.001Z'));
  }
});

it.each(PAIRS)(
  '$first.name and $second.name: a transaction of one does not take in calls of the other',
  async (pair) => {
    const [first, second] = [await open(await pair.first.freshUrl()), await open(await pair.second.freshUrl())];
    const cancelled = first.transaction(async () => {
      await first.tenants.ensure({ slug: 'first', name: 'First' });
      await second.tenants.ensure({ slug: 'second', name: 'Second' });
      await second.tenant('second').users.create({ externalId: 'ada', username: 'ada' });
      throw new Error('cancelled');
    });
    await expect(cancelled).rejects.toThrow('cancelled');
    expect([await slugsOf(first), await slugsOf(second)]).toEqual([[], ['second']]);
    expect((await second.stats()).rows).toMatchObject({ tenants: 1, users: 1 });
  },
);
