import { describe, expect, it } from 'vitest';
import { exportArchive } from '../../src/interchange/export-archive.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { talk } from '../support/invented-archive.js';
import { openManager } from '../support/open-manager.js';
import { archiveFile, jsonLines } from './archive-files.js';

async function ensure(persistence: PersistenceManager, slug: string): Promise<TenantContext> {
  await persistence.tenants.ensure({ slug, name: slug });
  return persistence.tenant(slug);
}

async function exported(tenant: TenantContext): Promise<string> {
  let text = '';
  await exportArchive(tenant, async (line) => void (text += line));
  return text;
}

function linesOf(archive: string): unknown[] {
  return archive
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}

const CALL = { externalId: 'call-1', status: 'completed', startTime: '2026-01-02T03:04:05.000Z' };

describe('an archived conversation', () => {
  it.each([
    ['of a source whose name is escaped', talk('a:b', { source: 'x:y%3Az%' })],
    ['of users whose names look like keys', talk('1', { participants: { user: 'clinic:7', assistant: 'shop' } })],
    ['of a user named like its source', talk('1', { participants: { user: 'shop' } })],
    ['with a voice session and no messages', talk('1', { modality: 'voice', messages: [], voiceSessions: [CALL] })],
    ['with neither voice session nor messages', talk('1', { modality: 'voice', messages: [], voiceSessions: [] })],
    ["of Colloquy's own source", talk('own', { source: 'colloquy', participants: { user: 'ann' } })],
    ["of Colloquy's own source, with a colon in its id", talk('own:1', { source: 'colloquy' })],
    [
      "of Colloquy's own source, with a user of that name",
      talk('own', { source: 'colloquy', participants: { user: 'colloquy' } }),
    ],
  ])('%s comes out as it went in', async (_what, line) => {
    const { persistence } = await openManager();
    const tenant = await ensure(persistence, 'shop');
    await importArchives(tenant, [archiveFile(jsonLines(line))], { strict: true });
    expect(linesOf(await exported(tenant))).toEqual([line]);
  });
});

describe('what an application has made under awkward keys', () => {
  it.each([
    ['ends in a colon', ['shop:']],
    ['begins with a colon', [':shop']],
    ['has a percent sign', ['50%', '50%25:1', '50%:1']],
    ["has Colloquy's own source", ['colloquy:1', '1']],
    ['is that of a source', ['shop', 'shop:1']],
  ])('can be imported again where a key %s', async (_what, keys) => {
    const { persistence } = await openManager();
    const [tenant, copy] = [await ensure(persistence, 'first'), await ensure(persistence, 'second')];
    for (const externalId of keys) {
      const user = await tenant.users.create({ externalId, username: 'Ann' });
      await tenant.conversations.start({ userId: user.id, externalId });
    }
    const archive = await exported(tenant);
    await importArchives(copy, [archiveFile(archive)], { strict: true });
    expect((await copy.stats()).rows['conversations']).toBe(keys.length);
    expect(await exported(copy)).toBe(archive);
  });
});
