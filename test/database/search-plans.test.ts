import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { runStatement } from '../../src/repositories/statement.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { ENGINES } from '../support/engines.js';
import { open } from '../support/conformance.js';
import { sentStatements } from '../support/sent-statements.js';
import { temporaryFile } from '../support/temporary-folder.js';

const DOCUMENTS = 600;

/** Two tenants with many documents of one word; one document of each has another word besides. */
async function openLibrary(databaseUrl: string): Promise<[PersistenceManager, TenantContext]> {
  const persistence = await open(databaseUrl);
  for (const slug of ['beta', 'acme']) {
    await persistence.tenants.ensure({ slug, name: slug });
    await persistence.tenant(slug).transaction(async ({ documents }) => {
      for (let index = 0; index < DOCUMENTS; index++) {
        const content = index === 7 ? 'refund planted' : 'refund';
        documents.create({ externalId: `d-${String(index)}`, title: 'x', content, checksum: '0'.repeat(64) });
      }
    });
  }
  return [persistence, persistence.tenant('acme')];
}

it('sqlite: search looks words up in the index, documents up by their key, and prints no word into SQL', async () => {
  const file = temporaryFile();
  const [persistence, acme] = await openLibrary(`sqlite:${file}`);
  await acme.stats();
  const sent = await sentStatements(persistence);
  expect(await acme.documents.search('planted refund')).toHaveLength(1);
  const statements = sent.filter((text) => /^\s*select/.test(text));
  expect(statements.length).toBeGreaterThan(1);
  expect(statements.filter((text) => text.includes('planted'))).toEqual([]);
  const database = new Database(file, { readonly: true });
  const steps = statements.flatMap((text) => {
    const parameters = Array.from(text.matchAll(/\?/g), () => null);
    return database.prepare<unknown[], { detail: string }>(`explain query plan ${text}`).all(...parameters);
  });
  database.close();
  const reads = steps.map(({ detail }) => detail).filter((detail) => /^(?:SCAN|SEARCH)/.test(detail));
  const byIndex =
    /^SCAN document_terms_index VIRTUAL TABLE INDEX \d+:M\d|^SEARCH document_terms USING INTEGER PRIMARY KEY|^SEARCH d(?:ocuments)? USING INDEX \S+ \(tenant_id=\? AND id=\?\)|^SCAN (?:matches|ranked)$/;
  expect(reads.filter((detail) => !byIndex.test(detail))).toEqual([]);
  expect(reads.some((detail) => detail.includes('VIRTUAL TABLE INDEX'))).toBe(true);
});

const postgresql = ENGINES.find(({ name }) => name === 'postgresql');

it.runIf(postgresql)(
  'postgresql: search reads no table from end to end, and only rows that have the words',
  async () => {
    const [, acme] = await openLibrary((await postgresql?.freshUrl()) ?? '');
    const accesses = async (search: string) =>
      acme.transaction(async ({ em }) => {
        const sql = `select relname as name, seq_scan as scans, seq_tup_read + idx_tup_fetch as rows
                     from pg_stat_xact_user_tables where relname in ('document_terms', 'documents') order by 1`;
        const count = async () => runStatement<{ name: string; scans: number; rows: number }>(em, sql);
        // The server counts here what earlier transactions of the connection did, too, until it has noted that elsewhere.
        const before = await count();
        await acme.documents.search(search);
        return (await count()).map(({ scans, rows }, index) => ({
          scans: scans - (before[index]?.scans ?? 0),
          rows: rows - (before[index]?.rows ?? 0),
        }));
      });
    const [terms, documents] = await accesses('planted refund');
    expect([terms?.scans, documents?.scans]).toEqual([0, 0]);
    // The one document, as often as the index is asked about it.
    expect(terms?.rows).toBeGreaterThan(0);
    expect(terms?.rows).toBeLessThan(20);
    const all = await accesses('refund');
    expect(all.map(({ scans }) => scans)).toEqual([0, 0]);
    // Of no other tenant: the word stands in all documents, and is asked for in itself, as a beginning, and as a frequent one.
    expect(all[0]?.rows).toBeLessThanOrEqual(4 * DOCUMENTS);
  },
);

const mariadb = ENGINES.find(({ name }) => name === 'mariadb');

it.runIf(mariadb)('mariadb: search looks words up in the index, and documents up by their key', async () => {
  const [persistence, acme] = await openLibrary((await mariadb?.freshUrl()) ?? '');
  const asked: { readonly sql: string; readonly values: unknown[] }[] = [];
  await acme.transaction(async ({ em, documents }) => {
    const run = runStatement.bind(undefined, em.fork({ clear: false, keepTransactionContext: true }));
    Object.assign(em, {
      runStatement: async (sql: string, values: unknown[]) => {
        asked.push({ sql, values });
        return run(sql, values);
      },
    });
    expect(await documents.search('planted refund')).toHaveLength(1);
  });
  expect(asked.length).toBeGreaterThan(1);
  const steps = await persistence.withEntityManager(async (em) => {
    const plans = [];
    for (const { sql, values } of asked) {
      plans.push(...(await em.execute<{ table: string; type: string; key: string }[]>(`explain ${sql}`, values)));
    }
    return plans.map(({ table, type, key }) => `${table} ${type} ${key}`);
  });
  const byIndex =
    /^document_terms fulltext document_terms_index$|^d(?:ocuments)? (?:eq_ref|ref|range|const) PRIMARY$|^<\w+> ALL null$/;
  expect(steps.filter((step) => !byIndex.test(step))).toEqual([]);
  expect(steps).toContain('document_terms fulltext document_terms_index');
});
