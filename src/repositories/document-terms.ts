import type { SqlEntityManager } from '@mikro-orm/sql';
import type { TermLookup } from '../database/engine.js';
import { documentTerms, type SearchedText } from '../search/document-terms.js';
import { connectionOf, runStatement } from './statement.js';

/** A document as the index of search takes it. */
export interface SearchedDocument extends SearchedText {
  readonly id: string;
}

const EXTENSION = 'colloquy/transactions-with-terms';

/** The transactions that have written terms, kept with the ORM that the entity manager belongs to. */
function transactionsWithTerms(em: SqlEntityManager): WeakSet<object> {
  const known = em.config.getExtension<WeakSet<object>>(EXTENSION);
  if (known) return known;
  const created = new WeakSet<object>();
  em.config.registerExtension(EXTENSION, () => created);
  return created;
}

/** How documents are found in the transaction that is running, or outside of one. */
export function termLookup(em: SqlEntityManager): TermLookup {
  const { documentTerms: index } = connectionOf(em);
  const transaction = em.getTransactionContext<object>();
  const hasWritten = transaction !== undefined && transactionsWithTerms(em).has(transaction);
  return hasWritten ? (index.uncommitted ?? index) : index;
}

/** Lets search find documents that are new, within the running transaction. Removed ones are taken from its index by the database. */
export async function addDocumentTerms(em: SqlEntityManager, documents: readonly SearchedDocument[]): Promise<void> {
  const connection = connectionOf(em);
  const rows = (function* () {
    for (const document of documents) yield [document.tenantId, document.id, documentTerms(document)];
  })();
  const transaction = em.getTransactionContext<object>();
  await connection.insertMany(connection.documentTerms.insert, rows, transaction);
  if (transaction) transactionsWithTerms(em).add(transaction);
}

/** Lets search find a document by the text that it has now. */
export async function replaceDocumentTerms(em: SqlEntityManager, tenantId: string, id: string): Promise<void> {
  // Of a managed entity only a part may be loaded.
  const sql = 'select title, content from documents where tenant_id = ? and id = ?';
  const texts = await runStatement<{ title: string; content: string }>(em, sql, [tenantId, id]);
  await runStatement(em, 'delete from document_terms where tenant_id = ? and document_id = ?', [tenantId, id]);
  await addDocumentTerms(
    em,
    texts.map((text) => ({ tenantId, id, ...text })),
  );
}
