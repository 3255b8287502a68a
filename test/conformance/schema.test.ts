import { describe, expect, it, onTestFinished } from 'vitest';
import { SchemaManager } from '../../src/services/schema-manager.js';
import { codeOf, open, workTogether } from '../support/conformance.js';
import { ENGINES } from '../support/engines.js';

async function openSchema(databaseUrl: string): Promise<SchemaManager> {
  const schema = await SchemaManager.open({ databaseUrl });
  onTestFinished(() => schema.close());
  return schema;
}

const NAMES = [
  '001-tenants',
  '002-users',
  '003-conversations',
  '004-messages',
  '005-documents',
  '006-api-keys',
  '007-voice-sessions',
  '008-usage',
];

describe.each(ENGINES)('$name: the schema', ({ freshUrl }) => {
  it('goes up, down and up again, and is what the entities describe', async () => {
    const schema = await openSchema(await freshUrl());
    expect(await schema.up()).toEqual(NAMES);
    expect(await schema.differences()).toEqual([]);
    expect(await schema.down('006-api-keys')).toEqual(['008-usage', '007-voice-sessions']);
    expect(await schema.down()).toEqual(['006-api-keys']);
    expect(await schema.down('0')).toEqual(NAMES.slice(0, 5).toReversed());
    expect((await schema.status()).migrations.every(({ state }) => state === 'pending')).toBe(true);
    expect(await schema.up()).toEqual(NAMES);
    expect(await schema.up()).toEqual([]);
    expect(await schema.differences()).toEqual([]);
  });

  it('is made once by four processes that start together', async () => {
    const url = await freshUrl();
    const outputs = await workTogether(Array.from({ length: 4 }, () => [url, 'open']));
    expect(outputs).toEqual(Array.from({ length: 4 }, () => '8\n'));
    const { migrations } = await (await openSchema(url)).status();
    expect(migrations.map(({ name, state }) => [name, state])).toEqual(NAMES.map((name) => [name, 'applied']));
  });

  it('is asked for where migrating is not allowed, and left alone where it is newer', async () => {
    const url = await freshUrl();
    expect(await codeOf(open(url, { migrate: false }))).toBe('SCHEMA_MISMATCH');
    const persistence = await open(url);
    await persistence.withEntityManager((em) =>
      em.execute(`insert into schema_migrations (name, checksum, executed_at) values ('999-newer', '', '')`),
    );
    expect(await codeOf(open(url))).toBe('SCHEMA_MISMATCH');
  });
});
