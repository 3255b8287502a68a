import { describe, expect, it, onTestFinished } from 'vitest';
import { SchemaManager } from '../../src/services/schema-manager.js';
import { codeOf, open, workTogether } from '../support/conformance.js';
import { ENGINES } from '../support/engines.js';

async function openSchema(databaseUrl: string): Promise<SchemaManager> {
  const schema = await SchemaManager.open({ databaseUrl });
  onTestFinished(() => schema.close());
  return schema;
}

const SHARED_BEGINNING = [
  '001-tenants',
  '002-users',
  '003-conversations',
  '004-messages',
  '005-documents',
  '006-api-keys',
  '007-voice-sessions',
  '008-usage',
  '009-document-search',
];

/** What follows on an engine: some have a migration that others do not need, so the numbers differ. */
const REST: Readonly<Record<string, readonly string[]>> = {
  postgresql: [
    '010-row-level-security',
    '011-quota-months',
    '012-email-keys',
    '013-idempotency-keys',
    '014-tasks',
    '015-more-row-level-security',
    '016-tenant-statistics',
  ],
};
const OTHER_REST = ['010-quota-months', '011-email-keys', '012-idempotency-keys', '013-tasks'];

describe.each(ENGINES)('$name: the schema', ({ name: engine, freshUrl }) => {
  const names = [...SHARED_BEGINNING, ...(REST[engine.replace('pgbouncer', 'postgresql')] ?? OTHER_REST)];

  it('goes up, down and up again, and is what the entities describe', async () => {
    const schema = await openSchema(await freshUrl());
    expect(await schema.up()).toEqual(names);
    expect(await schema.differences()).toEqual([]);
    expect(await schema.down('006-api-keys')).toEqual(names.slice(6).toReversed());
    expect(await schema.down()).toEqual(['006-api-keys']);
    expect(await schema.down('0')).toEqual(names.slice(0, 5).toReversed());
    expect((await schema.status()).migrations.every(({ state }) => state === 'pending')).toBe(true);
    expect(await schema.up()).toEqual(names);
    expect(await schema.up()).toEqual([]);
    expect(await schema.differences()).toEqual([]);
  });

  it('is made once by four processes that start together', async () => {
    const url = await freshUrl();
    const outputs = await workTogether(Array.from({ length: 4 }, () => [url, 'open']));
    expect(outputs).toEqual(Array.from({ length: 4 }, () => '10\n'));
    const { migrations } = await (await openSchema(url)).status();
    expect(migrations.map(({ name, state }) => [name, state])).toEqual(names.map((name) => [name, 'applied']));
  });

  it('is asked for where migrating is not allowed, and left alone where it is newer', async () => {
    const url = await freshUrl();
    // A file that is not there is not made either.
    const code = engine === 'sqlite' ? 'DATABASE_UNAVAILABLE' : 'SCHEMA_MISMATCH';
    expect(await codeOf(open(url, { migrate: false }))).toBe(code);
    const persistence = await open(url);
    await persistence.withEntityManager((em) =>
      em.execute(`insert into schema_migrations (name, checksum, executed_at) values ('999-newer', '', '')`),
    );
    expect(await codeOf(open(url))).toBe('SCHEMA_MISMATCH');
  });
});
