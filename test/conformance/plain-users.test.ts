import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selectEngine } from '../../src/database/select-engine.js';
import { ConfigurationError } from '../../src/errors.js';
import { exportArchive } from '../../src/interchange/export-archive.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import { DatabaseSeeder } from '../../src/seeders/database.seeder.js';
import { SEED_DEFAULTS } from '../../src/seeders/seed-options.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { SchemaManager } from '../../src/services/schema-manager.js';
import { codeOf, open } from '../support/conformance.js';
import { ENGINES, query, withParameter } from '../support/engines.js';
import { rejectionOf } from '../support/rejection.js';
import { furnish } from '../support/furnish.js';
import { TENANT_TABLES } from '../support/two-tenants.js';

const POSTGRESQL = ENGINES.filter(({ name }) => name === 'postgresql');

// A file without tests is an error.
if (POSTGRESQL.length === 0) it.skip('users who are no superusers', () => undefined);

interface PlainUser {
  readonly name: string;
  /** Of the database, as this user and as the superuser who made it. */
  readonly url: string;
  readonly admin: string;
}

const ROLES = ['colloquy_tenant', 'colloquy_operator'];

/** When the test ends, nothing of the database is the user's any more. */
function takeBack(admin: string, name: string): void {
  onTestFinished(async () => {
    await query(admin, `reassign owned by ${name} to current_user`);
    await query(admin, `drop owned by ${name}`);
  });
}

/** Runs what an error says is to be typed. */
async function type(admin: string, { message }: ConfigurationError, pattern: RegExp): Promise<void> {
  const typed = message.match(pattern);
  expect(typed, message).not.toBeNull();
  for (const statement of typed ?? []) await query(admin, statement);
}

async function useEverything(persistence: PersistenceManager): Promise<void> {
  const acme = await furnish(persistence, 'acme');
  const beta = await furnish(persistence, 'beta');
  await persistence.transaction(async () => {
    await acme.tenant.users.create({ externalId: 'both', username: 'both' });
    await beta.tenant.users.create({ externalId: 'both', username: 'both' });
  });
  await importArchives(acme.tenant, ['examples/conversations.jsonl', 'examples/documents.jsonl'], { strict: true });
  const lines: string[] = [];
  await exportArchive(acme.tenant, async (line) => void lines.push(line));
  const { conversations, documents } = (await acme.tenant.stats()).rows;
  expect(lines).toHaveLength((conversations ?? 0) + (documents ?? 0));
  expect((await acme.tenant.users.getByExternalId('both')).username).toBe('both');
  expect(await codeOf(acme.tenant.users.get(beta.userId))).toBe('NOT_FOUND');
  const hits = await acme.tenant.documents.search('secret');
  expect(hits.map(({ document }) => document.id)).toEqual([acme.documentId]);
  const seeder = new DatabaseSeeder({ ...SEED_DEFAULTS, tenants: 1 });
  await persistence.withEntityManager((em) => seeder.run(em));
  const seeded = (await persistence.tenant('seed-1-1').stats()).rows;
  expect(seeded).toMatchObject({ tenants: 1, users: SEED_DEFAULTS.users });
  const { items } = await persistence.tenants.list();
  const each = await Promise.all(items.map(({ slug }) => persistence.tenant(slug).stats()));
  for (const [table, total] of Object.entries((await persistence.stats()).rows))
    expect(
      each.reduce((sum, { rows }) => sum + (rows[table] ?? 0), 0),
      table,
    ).toBe(total);
}

const countOf = async (url: string, table: string): Promise<number> =>
  (await query(url, `select from ${table}`)).length;

/** A user who may do nothing but log in, and who goes when the test ends. */
async function createUser(admin: string): Promise<PlainUser> {
  const name = `colloquy_test_${randomUUID().replaceAll('-', '')}`;
  const password = randomUUID();
  await query(admin, `create role ${name} login password '${password}'`);
  onTestFinished(async () => void (await query(admin, `drop role ${name}`)));
  takeBack(admin, name);
  const url = new URL(admin);
  url.username = name;
  url.password = password;
  return { name, url: withParameter(url.href, 'rowLevelSecurity', 'true'), admin };
}

describe.each(POSTGRESQL)('$name: a user who is no superuser', ({ freshUrl }) => {
  /** The owner of an empty database, on a server where a superuser has a database of Colloquy, and so the roles are there. */
  async function createOwner(): Promise<PlainUser> {
    await (await open(withParameter(await freshUrl(), 'rowLevelSecurity', 'true'))).close();
    const admin = await freshUrl();
    const owner = await createUser(admin);
    await query(admin, `alter database ${new URL(admin).pathname.slice(1)} owner to ${owner.name}`);
    return owner;
  }

  async function createMember(): Promise<PlainUser> {
    const owner = await createOwner();
    await query(owner.admin, `grant ${ROLES.join(', ')} to ${owner.name}`);
    return owner;
  }

  it('is told what to type before the roles are his, and nothing is migrated', async () => {
    const owner = await createOwner();
    const error = await rejectionOf(open(owner.url), ConfigurationError);
    expect(await query(owner.admin, 'select from schema_migrations')).toEqual([]);
    const status = await SchemaManager.open({ databaseUrl: owner.url });
    onTestFinished(() => status.close());
    expect((await rejectionOf(status.up(), ConfigurationError)).message).toBe(error.message);
    await type(owner.admin, error, /grant colloquy_tenant, colloquy_operator to "[^"]+"/g);
    expect(await status.up()).toContain('010-row-level-security');
    await open(owner.url);
  });

  it('can use everything as the owner of the tables, and sees no rows by himself', async () => {
    const owner = await createMember();
    await useEverything(await open(owner.url));
    for (const table of TENANT_TABLES) {
      expect(await countOf(owner.url, table), table).toBe(0);
      expect(await countOf(owner.admin, table), table).toBeGreaterThan(1);
    }
    expect(await countOf(owner.url, 'tenants')).toBe(3);
    const schema = await SchemaManager.open({ databaseUrl: owner.url });
    onTestFinished(() => schema.close());
    expect(await schema.differences()).toEqual([]);
    await schema.down('0');
    expect(await schema.up()).toContain('010-row-level-security');
  });

  it('can use everything without owning anything, given the roles', async () => {
    const owner = await createMember();
    await (await open(owner.url)).close();
    const user = await createUser(owner.admin);
    await query(owner.admin, `grant ${ROLES.join(', ')} to ${user.name}`);
    await useEverything(await open(user.url));
    expect(await countOf(user.url, 'users')).toBe(0);
  });

  it('is told what to type when a role was taken from him, at the next call and at the next opening', async () => {
    const owner = await createMember();
    const persistence = await open(owner.url);
    const { tenant } = await furnish(persistence, 'acme');
    for (const role of ROLES) {
      await query(owner.admin, `revoke ${role} from ${owner.name}`);
      const refused = await rejectionOf(open(owner.url), ConfigurationError);
      if (role === 'colloquy_tenant') expect(await codeOf(tenant.users.list())).toBe(refused.code);
      await type(owner.admin, refused, /grant colloquy_tenant, colloquy_operator to "[^"]+"/g);
      await open(owner.url);
    }
    expect((await tenant.users.list()).items).toHaveLength(1);
  });

  it('is told what to type when the role has lost its privileges', async () => {
    const owner = await createMember();
    await (await open(owner.url)).close();
    await query(owner.admin, 'revoke insert on users, messages from colloquy_tenant');
    await query(owner.admin, 'revoke all on tenants from colloquy_tenant');
    await query(owner.admin, 'revoke all on document_terms from colloquy_tenant');
    await query(owner.admin, 'revoke all on function documents_with_terms from colloquy_tenant');
    await query(owner.admin, 'revoke usage on schema public from colloquy_tenant, public');
    const error = await rejectionOf(open(owner.url), ConfigurationError);
    await type(owner.admin, error, /grant [^;]+;/g);
    await useEverything(await open(owner.url));
  });

  it('sees and uses everything where row-level security is switched off', async () => {
    const owner = await createMember();
    await furnish(await open(owner.url), 'gamma');
    const off = withParameter(owner.url, 'rowLevelSecurity', 'false');
    const persistence = await open(off);
    expect((await persistence.tenant('gamma').users.list()).items).toHaveLength(1);
    const count = async () =>
      persistence.withEntityManager((em) => em.execute<object[]>('select from users where true'));
    expect(await count()).toHaveLength(1);
    const { tenant } = await furnish(persistence, 'acme');
    expect((await tenant.stats()).rows).toMatchObject({ users: 1, messages: 1 });
    expect((await persistence.stats()).rows).toMatchObject({ users: 2, messages: 2 });
  });

  it('can do without the roles where it is switched off, and have them later', async () => {
    const owner = await createOwner();
    const off = await open(withParameter(owner.url, 'rowLevelSecurity', 'false'));
    const { tenant } = await furnish(off, 'gamma');
    expect((await tenant.stats()).rows).toMatchObject({ users: 1 });

    await query(owner.admin, `grant ${ROLES.join(', ')} to ${owner.name}`);
    await type(owner.admin, await rejectionOf(open(owner.url), ConfigurationError), /delete from [^;]+;/g);
    const on = await open(owner.url);
    expect((await on.tenant('gamma').users.list()).items).toHaveLength(1);
    expect(await countOf(owner.url, 'users')).toBe(0);
    await useEverything(on);
  });

  it('is told when switching it off did not reach the server', async () => {
    const owner = await createMember();
    const persistence = await open(owner.url);
    // As behind a pooler that drops what a connection begins with.
    const off = await selectEngine(withParameter(owner.url, 'rowLevelSecurity', 'false'));
    const check = () => persistence.withEntityManager(async (em) => off.assertUsable?.(em));
    await type(owner.admin, await rejectionOf(check(), ConfigurationError), /alter role [^;]+;/g);
    const again = await open(withParameter(owner.url, 'applicationName', 'again'));
    await again.withEntityManager(async (em) => off.assertUsable?.(em));
    await query(owner.admin, `revoke colloquy_operator from ${owner.name}`);
    await type(owner.admin, await rejectionOf(check(), ConfigurationError), /grant colloquy_operator to [^;]+;/g);
  });

  it('takes the roles by himself where he may, also for several databases at once', async () => {
    const owners = await Promise.all(Array.from({ length: 3 }, createOwner));
    const [first] = owners;
    if (!first) return;
    await query(first.admin, `grant ${ROLES.join(', ')} to ${first.name} with admin option`);
    const urls = owners.map(({ url }) => {
      const own = new URL(first.url);
      own.pathname = new URL(url).pathname;
      return own.href;
    });
    for (const { admin } of owners) {
      await query(admin, `alter database ${new URL(admin).pathname.slice(1)} owner to ${first.name}`);
      takeBack(admin, first.name);
    }
    const opened = await Promise.all(urls.map((url) => open(url)));
    for (const persistence of opened) expect((await persistence.stats()).rows).toMatchObject({ tenants: 0 });
  });
});
