import { expect, it } from 'vitest';
import { NotFoundError } from '../../src/errors.js';
import { freshUrl, isSqlite } from '../support/engine-under-test.js';
import { openAcme, openManager, populate } from '../support/open-manager.js';
import { rejectionOf } from '../support/rejection.js';
import { seededRandom } from '../support/sources.js';

const NONE = {
  tenants: 0,
  users: 0,
  api_keys: 0,
  conversations: 0,
  messages: 0,
  documents: 0,
  voice_sessions: 0,
  usage_records: 0,
  tasks: 0,
  idempotency_keys: 0,
};

it('an empty database has every table and no rows', async () => {
  const { persistence } = await openManager();
  const { rows, database, databaseBytes } = await persistence.stats();
  expect(rows).toEqual(NONE);
  expect(database).toMatch(isSqlite ? /^SQLite in memory$/ : /^(?:PostgreSQL|MariaDB) \w+@127\.0\.0\.1:\d+\/\w+$/);
  expect(databaseBytes).toBeGreaterThan(0);
});

it('counts the rows of all tenants, and those of one alone', async () => {
  const { persistence, tenant, userId, conversationId } = await openAcme();
  const beta = await populate(persistence, 'beta');
  for (let index = 0; index < 3; index++) await tenant.messages.append(conversationId, { role: 'user', content: 'x' });
  await tenant.documents.create({ externalId: 'd', title: 'd', content: 'd' });
  await tenant.voiceSessions.start({ externalId: 'v', userId });
  await tenant.apiKeys.create({ name: 'k' });
  await tenant.usage.add({ provider: 'p', model: 'm' });
  await tenant.tasks.create({ workflowId: 'w', query: 'q' });
  const one = { ...NONE, tenants: 1, users: 1, conversations: 1 };
  const full = { ...one, messages: 3, documents: 1, voice_sessions: 1, api_keys: 1, usage_records: 1, tasks: 1 };
  expect((await tenant.stats()).rows).toEqual(full);
  expect((await beta.tenant.stats()).rows).toEqual(one);
  expect((await persistence.stats()).rows).toEqual({ ...full, tenants: 2, users: 2, conversations: 2 });
});

it('sees what the unit of work around it has written', async () => {
  const { tenant } = await openAcme();
  await tenant.transaction(async (unit) => {
    unit.users.create({ externalId: 'u', username: 'u' });
    expect((await tenant.stats()).rows).toMatchObject({ users: 2 });
  });
});

// PostgreSQL compresses long texts.
const incompressible = Buffer.from(seededRandom(7).bytes(150_000)).toString('base64');

it('tells the size of the database', async () => {
  const { persistence, tenant } = await openAcme({ url: await freshUrl() });
  const before = await persistence.stats();
  await tenant.documents.create({ externalId: 'big', title: 'big', content: incompressible });
  const after = await persistence.stats();
  expect(after.databaseBytes - before.databaseBytes).toBeGreaterThan(90_000);
});

it('of a tenant that is not there is an error, not zeros', async () => {
  const { persistence } = await openManager();
  await rejectionOf(persistence.tenant('nobody').stats(), NotFoundError);
});
