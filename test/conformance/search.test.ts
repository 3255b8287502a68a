import { array, assert, asyncProperty, constantFrom, nat, oneof, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ValidationError } from '../../src/errors.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';
import { found, PLACES, store } from '../support/searching.js';
import { FINDS, HOSTILE, LIBRARY } from '../support/search-library.js';

describe.each(PLACES)('$name: search', (place) => {
  it('finds words in any language, and takes nothing else in a query for more than it is', async () => {
    const acme = await place.tenant();
    await store(acme, LIBRARY);
    const expected = [...FINDS, ...HOSTILE].map(([query, ...documents]) => [query, ...documents.toSorted()]);
    const actual = [];
    for (const [query] of expected) actual.push([query, ...(await found(acme, query ?? '')).toSorted()]);
    expect(actual).toEqual(expected);
  });

  it('refuses what is no text, or no search, and names every broken rule', async () => {
    const { documents } = await place.tenant();
    for (const query of ['nul \0', 'lone \ud800', 'x'.repeat(501), 7, null, undefined, ['a'], { $like: '%' }]) {
      await rejectionOf(documents.search(query as string), ValidationError);
    }
    const options = { limit: 101, status: 'none', highlight: ['<b>', 7] } as never;
    const error = await rejectionOf(documents.search('\0', options), ValidationError);
    expect(brokenRules(error)).toEqual(['highlight.1 isText', 'limit limit', 'query isText', 'status isIn']);
    for (const other of [
      { limit: 0 },
      { limit: 1.5 },
      { highlight: 'mark' },
      { tenant: 'beta' },
      { status: ['active'] },
    ]) {
      await rejectionOf(documents.search('refund', other as never), ValidationError);
    }
    expect(await documents.search('x'.repeat(500))).toEqual([]);
    const many = Array.from({ length: 120 }, (_unused, index) => index.toString(36).padStart(3, 'q')).join(' ');
    await documents.create({ externalId: 'many', title: 'Many', content: `${many} words` });
    expect(await documents.search(many)).toHaveLength(1);
    expect(await documents.search(`${many} more`)).toEqual([]);
  });

  it('never gives anything but hits of the tenant, or a ValidationError, whatever the query', async () => {
    const [acme, beta] = [await place.tenant(), await place.tenant()];
    await store(acme, LIBRARY);
    await store(beta, LIBRARY);
    await store(beta, { secret: ['Refund secret', 'The 退款 secret of beta: a b c 1 2 3'] });
    const own = new Set((await acme.documents.list()).items.map(({ id }) => id));
    const snippets = constantFrom(...[...FINDS, ...HOSTILE].map(([query]) => query), ' ', '" OR "', ' & ', '退');
    const queries = oneof(
      string({ unit: 'binary', maxLength: 30 }),
      array(oneof(snippets, string({ maxLength: 5 })), { maxLength: 5 }).map((parts) => parts.join('')),
      string({ unit: nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 10 }),
    );
    await assert(
      asyncProperty(queries, async (query) => {
        const hits = await acme.documents.search(query, { limit: 100 }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(ValidationError);
          return [];
        });
        for (const { document } of hits) expect(own).toContain(document.id);
      }),
      { numRuns: 200 },
    );
    expect(await found(acme, 'secret')).toEqual([]);
    expect(await found(beta, 'secret')).toEqual(['secret']);
  });

  it('finds a document by each of its words, and by all of them', async () => {
    const acme = await place.tenant();
    let made = 0;
    const letters = 'abzéßıжй退款政策ガギ환불กำ𠮷हिé123 -_.\n';
    const texts = array(constantFrom(...Array.from(letters)), { minLength: 1, maxLength: 60 }).map((parts) =>
      parts.join(''),
    );
    await assert(
      asyncProperty(texts, async (content) => {
        made += 1;
        const externalId = `d-${String(made)}`;
        await acme.documents.create({ externalId, title: '-', content });
        const words = content.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? [];
        for (const query of [...words, words.join(' ')].filter((text) => text !== '')) {
          expect(await found(acme, query, { limit: 100 })).toContain(externalId);
        }
        await acme.transaction(async ({ documents, em }) => {
          for (const document of await documents.findAll()) em.remove(document);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('gives the best first: titles, then whole words, then frequent ones, then the newest', async () => {
    const acme = await place.tenant();
    await store(acme, {
      'often-in-content': ['Other', 'refund refund refund refund refund refund'],
      'longer-word': ['Other', 'a refundable thing'],
      'once-in-content': ['Other', `one refund ${'and other things '.repeat(300)}`],
      'longer-in-title': ['Refunds', 'text'],
      'in-title': ['Refund', 'text'],
      'both-words-in-title': ['Refund policy', 'text'],
      'one-word-in-title': ['Refund', 'a policy'],
      'old-same': ['Same', 'same text'],
      'new-same': ['Same', 'same text'],
    });
    expect((await found(acme, 'refund')).slice(-5)).toEqual([
      'in-title',
      'longer-in-title',
      'often-in-content',
      'once-in-content',
      'longer-word',
    ]);
    expect(await found(acme, 'refund policy')).toEqual(['both-words-in-title', 'one-word-in-title']);
    expect(await found(acme, 'same')).toEqual(['new-same', 'old-same']);
  });

  it('gives a plain document without its content, a score and a snippet', async () => {
    const acme = await place.tenant();
    const input = { externalId: 'd', title: 'T', content: 'x Refund\ny', contentType: 'text/markdown', source: 's' };
    const { content: _content, ...row } = await acme.documents.create({ ...input, metadata: { a: 1 } });
    const [hit] = await acme.documents.search('refund');
    expect(hit).toEqual({ document: row, score: expect.any(Number), snippet: 'x <mark>Refund</mark> y' });
    const [other] = await acme.documents.search('refund', { highlight: ['**', ''] });
    expect(other?.snippet).toBe('x **Refund y');
  });

  it('gives 20 hits unless told otherwise, and only active documents', async () => {
    const acme = await place.tenant();
    const texts = Array.from({ length: 25 }, (_unused, index) => [`d-${String(index)}`, ['Refund', 'x']] as const);
    await store(acme, Object.fromEntries(texts));
    expect(await found(acme, 'refund')).toHaveLength(20);
    expect(await found(acme, 'refund', { limit: 100 })).toHaveLength(25);
    expect(await found(acme, 'refund', { limit: 3 })).toEqual(['d-24', 'd-23', 'd-22']);
    const { id } = await acme.documents.getByExternalId('d-24');
    await acme.documents.update(id, { status: 'archived' });
    expect(await found(acme, 'refund', { limit: 1 })).toEqual(['d-23']);
    expect(await found(acme, 'refund', { status: 'archived' })).toEqual(['d-24']);
    expect(await found(acme, 'refund', { status: 'deleted' })).toEqual([]);
  });

  it('looks on where the index proposes documents that do not hold the word', async () => {
    const acme = await place.tenant();
    await store(acme, { right: ['x', '退款政策'] });
    const wrong = Array.from(
      { length: 30 },
      (_unused, index) => [`d-${String(index)}`, ['退款。款政。政策', 'x']] as const,
    );
    await store(acme, Object.fromEntries(wrong));
    expect(await found(acme, '退款政策', { limit: 1 })).toEqual(['right']);
  });

  it('finds the words of a document that has more of them than an index takes', async () => {
    const acme = await place.tenant();
    const content = Array.from({ length: 200_000 }, (_unused, index) => `word${String(index)}`).join(' ');
    await store(acme, { large: ['Large', content], small: ['Small', 'word7 word8'] });
    expect(await found(acme, 'word199999')).toEqual(['large']);
    expect(await found(acme, 'word7')).toEqual(['small', 'large']);
    expect(await found(acme, 'nothing')).toEqual([]);
  });
});

describe('search', () => {
  it.runIf(PLACES.length > 1)('gives the same hits in the same order everywhere', async () => {
    const words = ['refund', 'refunds', 'policy', 'the', 'a', '退款', '政策', '退款政策', 'ガイド', 'Straße', 'ж'];
    const texts = Array.from({ length: 60 }, (_unused, index) => {
      const pick = (step: number, count: number): string =>
        Array.from({ length: count }, (_none, at) => words[(index * 7 + at * step + at * at) % words.length]).join(' ');
      return [`d-${String(index)}`, [pick(3, 1 + (index % 3)), pick(5, 1 + ((index * 13) % 90))]] as const;
    });
    const results = [];
    for (const place of PLACES) {
      const acme = await place.tenant();
      await store(acme, Object.fromEntries(texts));
      results.push(await everyHit(acme, [...words, 'refund policy', 'the 退', 'a ref ж']));
    }
    expect(results[0]?.some(({ length }) => length === 30)).toBe(true);
    for (const other of results) expect(other).toEqual(results[0]);
  });
});

async function everyHit(tenant: TenantContext, queries: readonly string[]): Promise<unknown[][]> {
  const all = [];
  for (const query of queries) {
    const hits = await tenant.documents.search(query, { limit: 30 });
    all.push(hits.map(({ document, score, snippet }) => [document.externalId, score, snippet]));
  }
  return all;
}
