import type { SqlEntityManager } from '@mikro-orm/sql';
import { describe, expect, it } from 'vitest';
import { runStatement } from '../../src/repositories/statement.js';
import { documentTerms } from '../../src/search/document-terms.js';
import { open } from '../support/conformance.js';
import { ENGINES, query, withParameter } from '../support/engines.js';
import { type Furnished, furnish } from '../support/furnish.js';

const POSTGRESQL = ENGINES.filter(({ name }) => name === 'postgresql');

// A file without tests is an error.
if (POSTGRESQL.length === 0) it.skip('row-level security of search', () => undefined);

interface World {
  readonly acme: Furnished;
  readonly beta: Furnished;
}

async function openWorld(url: string, rowLevelSecurity: boolean): Promise<World> {
  const persistence = await open(withParameter(url, 'rowLevelSecurity', String(rowLevelSecurity)));
  return { acme: await furnish(persistence, 'acme'), beta: await furnish(persistence, 'beta') };
}

/** What a statement in a unit of work of acme does to the index of search of beta: the rows that it reaches. */
const REACHES: readonly (readonly [what: string, reach: (em: SqlEntityManager, beta: Furnished) => Promise<number>])[] =
  [
    [
      'find its documents',
      async (em, { tenantId }) => {
        const condition = `Q${tenantId.replaceAll('-', '')}`;
        return (await runStatement(em, 'select documents_with_terms(?, ?::tsquery)', [tenantId, condition])).length;
      },
    ],
    [
      'read its words',
      async (em, { tenantId }) =>
        (await runStatement(em, 'select terms from document_terms where tenant_id = ?', [tenantId])).length,
    ],
    [
      'list its documents',
      async (em, { tenantId }) =>
        (await runStatement(em, 'select document_id from document_terms where tenant_id = ?', [tenantId])).length,
    ],
    [
      'take its documents from it',
      async (em, { tenantId }) => {
        const sql = 'delete from document_terms where tenant_id = ? returning document_id';
        return (await runStatement(em, sql, [tenantId])).length;
      },
    ],
    [
      'add words to it',
      async (em, { tenantId, documentId }) => {
        const terms = documentTerms({ tenantId, title: 'planted', content: 'planted' });
        const sql = `insert into document_terms (tenant_id, document_id, terms) values (?, ?, ?::tsvector)
                   on conflict (tenant_id, document_id) do nothing returning document_id`;
        await runStatement(em, 'delete from document_terms where tenant_id = ?', [tenantId]);
        return (await runStatement(em, sql, [tenantId, documentId, terms])).length;
      },
    ],
  ];

describe.each(POSTGRESQL)("$name: another tenant's index of search", ({ freshUrl }) => {
  it('can be reached by no statement, and each of them can reach it without row-level security', async () => {
    const [secured, unsecured] = [await openWorld(await freshUrl(), true), await openWorld(await freshUrl(), false)];
    for (const [what, reach] of REACHES) {
      const { acme, beta } = unsecured;
      const reached = acme.tenant.transaction(async ({ em }) => {
        expect(await reach(em, beta), what).toBe(1);
        throw new RangeError('changed my mind');
      });
      await expect(reached).rejects.toThrow('changed my mind');
    }
    for (const [what, reach] of REACHES) {
      const { acme, beta } = secured;
      const refused = await acme.tenant
        .transaction(({ em }) => reach(em, beta))
        .catch((error: unknown) => {
          const { code, nativeCode } = error as { code: string; nativeCode?: string };
          expect(['TENANT_MISMATCH', '42501'], what).toContain(nativeCode ?? code);
          return 0;
        });
      expect(refused, what).toBe(0);
      expect(await beta.tenant.documents.search('secret'), what).toHaveLength(1);
    }
  });

  it('is kept by its policy, without which a tenant reaches not even its own', async () => {
    const url = await freshUrl();
    const { acme, beta } = await openWorld(url, true);
    await query(url, 'alter policy tenant on document_terms using (true) with check (true)');
    // What else keeps the others: a right that the role has not, and the function's own condition.
    for (const [what, reach] of REACHES.filter(([name]) => !/^(?:find|read)/.test(name))) {
      const reached = acme.tenant.transaction(async ({ em }) => {
        expect(await reach(em, beta), what).toBe(1);
        throw new RangeError('changed my mind');
      });
      await expect(reached, what).rejects.toThrow('changed my mind');
    }
    await query(url, 'drop policy tenant on document_terms');
    const own = () => acme.tenant.documents.create({ externalId: 'new', title: 'new', content: 'new' });
    await expect(own()).rejects.toMatchObject({ code: 'TENANT_MISMATCH' });
  });
});
