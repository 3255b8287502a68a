import type { TermIndex } from './engine.js';

/** A FULLTEXT index. It learns of rows when their transaction commits. */
export const MARIADB_TERMS: TermIndex = {
  insert: {
    statement: 'insert into document_terms (tenant_id, document_id, terms) values (?, ?, ?)',
    table: 'document_terms',
    columns: 'tenant_id, document_id, terms',
    columnTypes: ['char(36)', 'char(36)', 'longtext'],
  },
  select: 'select document_id from document_terms where tenant_id = ? and match (terms) against (? in boolean mode)',
  print: (condition) =>
    condition
      .map((terms) => terms.map(({ term, isPrefix }) => `+${term}${isPrefix ? '*' : ''}`).join(' '))
      .map((all) => `(${all})`)
      .join(' '),
  uncommitted: {
    select: 'select document_id from document_terms where tenant_id = ? and terms rlike ?',
    print: (condition) =>
      condition
        .map((terms) => terms.map(({ term, isPrefix }) => `(?=.*?\\b${term}${isPrefix ? '' : '\\b'})`).join(''))
        .map((all) => `^${all}`)
        .join('|'),
  },
};
