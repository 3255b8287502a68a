import { expect, it } from 'vitest';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { freshUrl, isSqlite } from '../support/engine-under-test.js';
import { temporaryUrl } from '../support/temporary-folder.js';

it("open loads as many of each tenant's newest rows as a policy says, and no others", async () => {
  const databaseUrl = isSqlite ? temporaryUrl() : await freshUrl();
  const ids: string[] = [];
  {
    await using persistence = await PersistenceManager.open({ databaseUrl });
    for (const slug of ['acme', 'beta', 'gone']) {
      await persistence.tenants.ensure({ slug, name: slug });
      const { users } = persistence.tenant(slug);
      for (const name of ['old', 'new', 'newest'])
        ids.push((await users.create({ externalId: name, username: name })).id);
    }
    await persistence.tenants.delete('gone');
  }
  await using persistence = await PersistenceManager.open({ databaseUrl, cache: { users: { preload: 2 } } });
  expect(persistence.cache.statistics().regions['users']).toMatchObject({ entries: 4, loads: 4 });
  const { users } = persistence.tenant('acme');
  // The oldest has to be loaded.
  await users.get(ids[0] ?? '');
  expect(persistence.cache.statistics().regions['users']).toMatchObject({ entries: 5, loads: 5 });
});
