import { describe, expect, it } from 'vitest';
import { Document, entities } from '../../src/entities/index.js';
import { CopyRefusedError } from '../../src/errors.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import { TenantRows } from '../../src/repositories/tenant-rows.js';
import type { CopyReport } from '../../src/services/copy.js';
import { archiveFile, jsonLines } from '../interchange/archive-files.js';
import { startProgram, typescript } from '../support/command-line.js';
import { codeOf, open } from '../support/conformance.js';
import { ENGINES } from '../support/engines.js';
import { furnished, PAIRS, TARGETS } from '../support/copies.js';
import { makeEveryEntity, MENU } from '../support/every-entity.js';
import { inventConversations } from '../support/invented-archive.js';
import { rejectionOf } from '../support/rejection.js';

/** A source whose tenant acme has more messages than one batch takes. */
async function filled(url: string) {
  const source = await open(url);
  await source.tenants.ensure({ slug: 'acme', name: 'Acme' });
  const acme = source.tenant('acme');
  await importArchives(acme, [archiveFile(jsonLines(...inventConversations(75)))], { strict: true });
  return { source, acme };
}

const total = (rows: Readonly<Record<string, number>>): number => Object.values(rows).reduce((sum, n) => sum + n, 0);

describe.each(PAIRS)('a copy from $from.name to $to.name', (pair) => {
  it('has every row of every tenant, ids and times included, and is not made twice', async () => {
    const { source, target } = await furnished(pair);
    const report = await source.copyTo(target);
    const { rows } = await source.stats();
    expect(Object.values(rows).filter((count) => count > 0)).toHaveLength(entities.length);
    expect((await target.stats()).rows).toEqual(rows);
    expect(report).toMatchObject({ from: source.database, to: target.database });
    for (const [index, slug] of ['acme', 'beta'].entries()) {
      const [original, copy] = [source.tenant(slug), target.tenant(slug)];
      expect(report.tenants[index]).toMatchObject({ tenant: slug, present: 0, isEqual: true, differences: [] });
      expect(report.tenants[index]?.rows).toEqual((await original.stats()).rows);
      expect(report.tenants[index]?.added).toBe(total((await original.stats()).rows));
      expect(await copy.digest()).toBe(await original.digest());
      const conversation = await original.conversations.getByExternalId('web:1');
      expect(await copy.conversations.get(conversation.id)).toEqual(conversation);
      expect(await copy.messages.history(conversation.id, { last: 9 })).toEqual(
        await original.messages.history(conversation.id, { last: 9 }),
      );
      expect(await copy.documents.search('soup')).toEqual(await original.documents.search('soup'));
      expect(await copy.documents.search('soup')).toHaveLength(1);
      expect(await copy.documents.create(...MENU)).toEqual(await original.documents.getByExternalId('doc-1'));
      const year = { from: '2026-01-01', to: '2026-12-31' };
      expect(await copy.usage.list(year)).toEqual(await original.usage.list(year));
      expect(await copy.voiceSessions.getByExternalId('call-1')).toEqual(
        await original.voiceSessions.getByExternalId('call-1'),
      );
    }
    expect(await target.tenants.list()).toEqual(await source.tenants.list());
    const again = await source.copyTo(target);
    expect(again.tenants.map(({ added, present, isEqual }) => [added, present, isEqual])).toEqual(
      report.tenants.map(({ added }) => [0, added, true]),
    );
  });
});

describe.each(TARGETS)('copying to $to.name', (pair) => {
  it('one tenant leaves the others, here and there, as they are', async () => {
    const { source, target } = await furnished(pair);
    await makeEveryEntity(target, 'gamma');
    const gamma = await target.tenant('gamma').digest();
    const { tenants } = await source.copyTo(target, { tenant: 'beta' });
    expect(tenants.map(({ tenant, isEqual }) => [tenant, isEqual])).toEqual([['beta', true]]);
    expect((await target.tenants.list()).items.map(({ slug }) => slug).toSorted()).toEqual(['beta', 'gamma']);
    expect(await target.tenant('gamma').digest()).toBe(gamma);
    expect(await codeOf(source.copyTo(target, { tenant: 'nobody' }))).toBe('NOT_FOUND');
  });

  it('is completed after kill -9 in any of its transactions', async () => {
    const [from, to] = [await pair.from.freshUrl(), await pair.to.freshUrl()];
    const { source, acme } = await filled(from);
    const whole = await acme.digest();
    await source.close();
    const runs = [];
    let report: CopyReport | undefined;
    while (!report) {
      const script = typescript('test/support/children/copy-until-killed.ts');
      const { stdout, signal, stderr } = await startProgram([...script, from, to, '2']).finished;
      expect(stderr).toBe('');
      if (signal === null) report = JSON.parse(stdout) as CopyReport;
      else runs.push(signal);
    }
    // Tenant, users, conversations, and two batches of messages: each run completes one, and dies in the next.
    expect(runs).toEqual(Array.from({ length: 4 }, () => 'SIGKILL'));
    expect(report.tenants[0]).toMatchObject({ present: 1101, added: 540, isEqual: true });
    const target = await open(to);
    expect(await target.tenant('acme').digest()).toBe(whole);
  });

  it('is completed after it was aborted', async () => {
    const { source, acme } = await filled(await pair.from.freshUrl());
    const target = await open(await pair.to.freshUrl());
    const controller = new AbortController();
    const onProgress = ({ done }: { readonly done: number }) => {
      if (done > 100) controller.abort(new Error('enough'));
    };
    await expect(source.copyTo(target, { signal: controller.signal, onProgress })).rejects.toThrow('enough');
    const { messages = 0 } = (await target.stats()).rows;
    expect(messages).toBeGreaterThan(0);
    expect(messages).toBeLessThan((await source.stats()).rows['messages'] ?? 0);
    const { tenants } = await source.copyTo(target);
    expect(tenants[0]?.present).toBeGreaterThan(messages);
    expect(tenants[0]?.isEqual).toBe(true);
    expect(await target.tenant('acme').digest()).toBe(await acme.digest());
  });

  it('twice at once makes one copy', async () => {
    const [from, to] = [await pair.from.freshUrl(), await pair.to.freshUrl()];
    const { source, acme } = await filled(from);
    const [other, first, second] = [await open(from), await open(to), await open(to)];
    const reports = await Promise.all([source.copyTo(first), other.copyTo(second)]);
    expect(reports.map(({ tenants }) => tenants[0]?.isEqual)).toEqual([true, true]);
    expect(await first.tenant('acme').digest()).toBe(await acme.digest());
  });

  it('takes the moment at which it began, whatever is written meanwhile', async () => {
    const from = await pair.from.freshUrl();
    const { source, acme } = await filled(from);
    const [writer, target] = [await open(from), await open(await pair.to.freshUrl())];
    const [before, conversation] = [await acme.digest(), await acme.conversations.getByExternalId('shop:talk-0')];
    let written: Promise<unknown> | undefined;
    const onProgress = (): void => {
      written ??= writer.tenant('acme').messages.append(conversation.id, { role: 'user', content: 'later' });
    };
    const { tenants } = await source.copyTo(target, { onProgress });
    await written;
    expect(tenants[0]?.isEqual).toBe(true);
    expect(await target.tenant('acme').digest()).toBe(before);
    expect(await acme.digest()).not.toBe(before);
    const { differences } = await rejectionOf(source.copyTo(target), CopyRefusedError);
    expect(differences).toEqual([
      {
        table: 'conversations',
        id: conversation.id,
        problem: 'different',
        properties: ['updatedAt', 'messageCount', 'lastMessageAt'],
      },
    ]);
  });
});

describe.each(ENGINES)('pages of $name', ({ freshUrl }) => {
  it('have all rows once, and are cut where rows are large', async () => {
    const persistence = await open(await freshUrl());
    const { id } = await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const acme = persistence.tenant('acme');
    const sizes = [10, 1_800_000, 10, 1_800_000, 1_800_000, 4_900_000, 10];
    for (const [index, size] of sizes.entries()) {
      const content = 'é'.repeat(size / 2);
      await acme.documents.create({ externalId: `d-${String(index)}`, title: 'd', content });
    }
    const pages = await acme.read(async ({ em }) => {
      const found = [];
      for await (const page of new TenantRows(em, Document, id).pages())
        found.push(page.map((row) => row['externalId']));
      return found;
    });
    expect(pages).toEqual([['d-0', 'd-1', 'd-2', 'd-3'], ['d-4'], ['d-5'], ['d-6']]);
  });
});

it.runIf(ENGINES.length > 1)('imports of the same archives have one digest on every engine', async () => {
  const files = ['examples/conversations.jsonl', 'examples/documents.jsonl'];
  const digests = await Promise.all(
    ENGINES.map(async ({ freshUrl }) => {
      const persistence = await open(await freshUrl());
      await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
      await importArchives(persistence.tenant('acme'), files, { strict: true });
      return persistence.tenant('acme').digest();
    }),
  );
  expect(new Set(digests).size).toBe(1);
});
