import { describe, expect, it, onTestFinished } from 'vitest';
import { Document } from '../../src/entities/document.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { SchemaManager } from '../../src/services/schema-manager.js';
import { workTogether } from '../support/conformance.js';
import { rawRows } from '../support/raw-rows.js';
import { found, PLACES, store } from '../support/searching.js';

const IMPORTED = 'examples/documents.jsonl';

describe.each(PLACES)('$name: search finds what is there now:', (place) => {
  it('documents that a service made or changed', async () => {
    const acme = await place.tenant();
    const { id } = await acme.documents.create({ externalId: 'd', title: 'Refund', content: 'old text' });
    expect(await found(acme, 'refund text')).toEqual(['d']);
    await acme.documents.update(id, { content: 'new 退款' });
    expect([await found(acme, 'text'), await found(acme, '退款 refund')]).toEqual([[], ['d']]);
    await acme.documents.update(id, { title: 'Policy' });
    expect([await found(acme, 'refund'), await found(acme, 'policy 退款')]).toEqual([[], ['d']]);
    await acme.documents.update(id, { metadata: { a: 1 } });
    expect(await found(acme, 'policy 退款')).toEqual(['d']);
  });

  it('documents of a unit of work, while it runs and after it', async () => {
    const acme = await place.tenant();
    await store(acme, { gone: ['Gone', 'refund'], changed: ['Changed', 'x'], part: ['Part', 'refund half'] });
    await acme.transaction(async ({ documents, em }) => {
      em.remove(await documents.findOneOrFail({ externalId: 'gone' }));
      (await documents.findOneOrFail({ externalId: 'changed' })).content = 'a refund';
      const part = await documents.findOneOrFail({ externalId: 'part' }, { fields: ['title'] });
      part.title = 'Refund';
      const checksum = '0'.repeat(64);
      documents.create({ externalId: 'new', title: 'New', content: 'refund', checksum });
      expect((await found(acme, 'refund')).toSorted()).toEqual(['changed', 'new', 'part']);
    });
    expect((await found(acme, 'refund')).toSorted()).toEqual(['changed', 'new', 'part']);
    expect(await found(acme, 'refund half')).toEqual(['part']);
  });

  it('documents that MikroORM itself writes, in a transaction of its own', async () => {
    const acme = await place.tenant();
    await store(acme, { d: ['Title', 'old'] });
    const persistence = await place.open();
    const { id } = await persistence.tenants.get(acme.slug);
    await persistence.withEntityManager(async (em) => {
      em.setFilterParams('tenant', { tenantId: id });
      (await em.findOneOrFail(Document, { externalId: 'd' })).content = 'refund';
      await em.flush();
    });
    expect([await found(acme, 'old'), await found(acme, 'refund')]).toEqual([[], ['d']]);
  });

  it('nothing of a unit of work that was rolled back, in whole or in part', async () => {
    const acme = await place.tenant();
    await store(acme, { kept: ['Kept', 'refund'], d: ['Title', 'old'] });
    const { id } = await acme.documents.getByExternalId('d');
    const failing = async (): Promise<void> => {
      await acme.documents.update(id, { content: 'refund' });
      await acme.documents.create({ externalId: 'new', title: 'refund', content: 'x' });
      await acme.transaction(async ({ documents, em }) => {
        em.remove(await documents.findOneOrFail({ externalId: 'kept' }));
      });
      expect((await found(acme, 'refund')).toSorted()).toEqual(['d', 'new']);
      throw new Error('rolled back');
    };
    await expect(acme.transaction(failing)).rejects.toThrow('rolled back');
    expect([await found(acme, 'refund'), await found(acme, 'old')]).toEqual([['kept'], ['d']]);
    await acme.transaction(async () => {
      await expect(acme.transaction(failing)).rejects.toThrow('rolled back');
      expect([await found(acme, 'refund'), await found(acme, 'old')]).toEqual([['kept'], ['d']]);
    });
    expect([await found(acme, 'refund'), await found(acme, 'old')]).toEqual([['kept'], ['d']]);
  });

  it('what was imported, here or by two other processes at once', async () => {
    const own = await place.tenant();
    await importArchives(own, [IMPORTED]);
    const hits = await found(own, 'the');
    expect(hits.length).toBeGreaterThan(0);
    // The children import into the tenant acme.
    const url = await place.url();
    await workTogether([0, 1].map(() => [url, 'import', IMPORTED]));
    expect(await found((await place.open()).tenant('acme'), 'the')).toEqual(hits);
  });

  it('only what the tenant has, with scores that depend on nobody else', async () => {
    const [acme, beta] = [await place.tenant(), await place.tenant()];
    await store(acme, { a: ['Refund', 'x'], b: ['Other', 'a refund and a refund'] });
    const before = await acme.documents.search('refund');
    const many = Array.from({ length: 50 }, (_unused, index) => [`d-${String(index)}`, ['Refund', 'refund']] as const);
    await store(beta, Object.fromEntries(many));
    expect(await acme.documents.search('refund')).toEqual(before);
    expect(before.map(({ document }) => document.externalId)).toEqual(['a', 'b']);
    expect(await found(beta, 'refund', { limit: 100 })).toHaveLength(50);
  });

  it('documents that were there before the index was', async () => {
    const databaseUrl = await place.engine.freshUrl();
    const before = await PersistenceManager.open({ databaseUrl });
    const tenants = [];
    for (const slug of ['acme', 'beta']) {
      await before.tenants.ensure({ slug, name: slug });
      const texts = Array.from(
        { length: 45 },
        (_unused, index) => [`${slug}-${String(index)}`, ['退款政策', slug]] as const,
      );
      await store(before.tenant(slug), Object.fromEntries(texts));
      tenants.push(await found(before.tenant(slug), '退款', { limit: 100 }));
    }
    await before.close();
    const schema = await SchemaManager.open({ databaseUrl });
    onTestFinished(() => schema.close());
    expect(await schema.down('008-usage')).toContain('009-document-search');
    expect(await rawRows(databaseUrl, 'select count(*) as total from documents')).toEqual([expect.anything()]);
    expect(await schema.up()).toContain('009-document-search');
    expect(await schema.differences()).toEqual([]);
    const after = await PersistenceManager.open({ databaseUrl });
    onTestFinished(() => after.close());
    for (const [index, slug] of ['acme', 'beta'].entries()) {
      expect(tenants[index]).toHaveLength(45);
      expect(await found(after.tenant(slug), '退款', { limit: 100 })).toEqual(tenants[index]);
    }
  });
});
