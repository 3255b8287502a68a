import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { importArchives } from '../../src/interchange/import-archives.js';
import { colloquy } from '../support/command-line.js';
import { freshUrl, isSqlite } from '../support/engine-under-test.js';
import { inventConversations, lengthsOf, talk } from '../support/invented-archive.js';
import { openManager } from '../support/open-manager.js';
import { dumpTables, halfConversations, storedConversations } from '../support/table-dump.js';
import { archiveFile, jsonLines } from './archive-files.js';

const PAGE = { title: 'Returns', content: 'Within 30 days.', source: 'help:returns' };
const CALL = talk('call', { modality: 'voice' });

async function openShop() {
  const url = await freshUrl();
  const { persistence } = await openManager({ url });
  await persistence.tenants.ensure({ slug: 'shop', name: 'Shop' });
  return { url, persistence, tenant: persistence.tenant('shop') };
}

describe('importing again', () => {
  it('adds nothing, changes nothing, and says so', async () => {
    const { url, tenant } = await openShop();
    const files = [archiveFile(jsonLines(talk('1'), CALL)), archiveFile(jsonLines(PAGE))];
    const first = await importArchives(tenant, files);
    expect(first.total).toEqual({
      conversations: { added: 2, present: 0 },
      documents: { added: 1, present: 0 },
      messages: 4,
      voiceSessions: 1,
      users: 1,
      rejected: 0,
    });
    const before = await dumpTables(url);
    const second = await importArchives(tenant, files);
    expect(second.total).toEqual({
      conversations: { added: 0, present: 2 },
      documents: { added: 0, present: 1 },
      messages: 0,
      voiceSessions: 0,
      users: 0,
      rejected: 0,
    });
    expect(await dumpTables(url)).toEqual(before);
  });

  it('leaves what is there as it is, whatever the archive says now', async () => {
    const { url, tenant } = await openShop();
    await importArchives(tenant, [archiveFile(jsonLines(talk('1')))]);
    const before = await dumpTables(url);
    const rewritten = archiveFile(jsonLines(talk('1', { title: 'New title', messages: [] }), talk('2')));
    const { total } = await importArchives(tenant, [rewritten]);
    expect(total.conversations).toEqual({ added: 1, present: 1 });
    expect(await dumpTables(url)).toMatchObject({
      messages: expect.arrayContaining(before['messages'] ?? []) as unknown,
    });
    expect(await storedConversations(url)).toMatchObject([{ stored: 2 }, { stored: 2 }]);
  });

  it('into another tenant gives that tenant rows of its own', async () => {
    const { persistence, tenant } = await openShop();
    await persistence.tenants.ensure({ slug: 'other', name: 'Other' });
    const files = [archiveFile(jsonLines(talk('1'), CALL))];
    const [first, second] = [
      await importArchives(tenant, files),
      await importArchives(persistence.tenant('other'), files),
    ];
    expect(second.total).toEqual(first.total);
    expect((await persistence.stats()).rows).toMatchObject({ tenants: 2, users: 2, conversations: 4, messages: 8 });
  });

  it('at the same time, from two processes, adds each conversation once', async () => {
    const lines = inventConversations(600);
    const file = archiveFile(jsonLines(...lines));
    const url = isSqlite ? `${await freshUrl()}?busyTimeout=30000` : await freshUrl();
    const command = ['import', file, '--tenant', 'shop', '--json'];
    const results = await Promise.all([colloquy(command, { url }), colloquy(command, { url })]);
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    const totals = results.map(
      ({ stdout }) => (JSON.parse(stdout) as Awaited<ReturnType<typeof importArchives>>).total,
    );
    expect(totals.map(({ conversations }) => conversations.added + conversations.present)).toEqual([600, 600]);
    expect(totals.reduce((sum, { conversations }) => sum + conversations.added, 0)).toBe(600);
    expect(totals.reduce((sum, { users }) => sum + users, 0)).toBe(25);
    expect(await storedConversations(url)).toHaveLength(600);
    expect(await halfConversations(url, lengthsOf(lines))).toEqual([]);
  });
});

describe('an import that is aborted', () => {
  const ENOUGH = new Error('enough');
  const lines = inventConversations(500);

  it('keeps whole batches, and the next one completes it', async () => {
    const { url, tenant } = await openShop();
    const [file, controller] = [archiveFile(jsonLines(...lines)), new AbortController()];
    let reports = 0;
    const aborted = importArchives(tenant, [file], {
      signal: controller.signal,
      onProgress: () => {
        reports += 1;
        if (reports === 2) controller.abort(ENOUGH);
      },
    });
    await expect(aborted).rejects.toBe(ENOUGH);
    const kept = (await storedConversations(url)).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(500);
    expect(await halfConversations(url, lengthsOf(lines))).toEqual([]);
    expect((await importArchives(tenant, [file])).total.conversations).toEqual({ added: 500 - kept, present: kept });
    expect(await halfConversations(url, lengthsOf(lines))).toEqual([]);
  });

  it('has ended when it says so: no batch is written afterwards', async () => {
    const { url, tenant } = await openShop();
    const [file, controller] = [archiveFile(jsonLines(...lines)), new AbortController()];
    const aborted = importArchives(tenant, [file], {
      signal: controller.signal,
      onProgress: () => controller.abort(ENOUGH),
    });
    await expect(aborted).rejects.toBe(ENOUGH);
    const kept = await dumpTables(url);
    await delay(300);
    expect(await dumpTables(url)).toEqual(kept);
  });

  it('keeps nothing if it was strict', async () => {
    const { url, tenant } = await openShop();
    const before = await dumpTables(url);
    const controller = new AbortController();
    const aborted = importArchives(tenant, [archiveFile(jsonLines(...lines))], {
      strict: true,
      signal: controller.signal,
      onProgress: () => controller.abort(ENOUGH),
    });
    await expect(aborted).rejects.toBe(ENOUGH);
    expect(await dumpTables(url)).toEqual(before);
  });

  it('writes nothing if it was aborted before it began', async () => {
    const { url, tenant } = await openShop();
    const before = await dumpTables(url);
    const aborted = importArchives(tenant, [archiveFile(jsonLines(talk('1')))], { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    expect(await dumpTables(url)).toEqual(before);
  });
});
