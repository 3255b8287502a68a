import type { TermIndex } from './engine.js';

/** FTS5, which keeps no text: rows go in through a view, whose trigger hands them to the table of documents and to the index. */
export const SQLITE_TERMS: TermIndex = {
  insert: {
    statement: 'insert into document_terms_input (tenant_id, document_id, terms) values (?, ?, ?)',
    table: 'document_terms_input',
    columns: 'tenant_id, document_id, terms',
    columnTypes: ['text', 'text', 'text'],
  },
  select: `select document_terms.document_id from document_terms_index join document_terms on document_terms.number = document_terms_index.rowid
            where document_terms.tenant_id = ? and document_terms_index match ?`,
  print: (condition) =>
    condition
      .map((terms) => terms.map(({ term, isPrefix }) => `"${term}"${isPrefix ? ' *' : ''}`).join(' AND '))
      .map((all) => `(${all})`)
      .join(' OR '),
};
