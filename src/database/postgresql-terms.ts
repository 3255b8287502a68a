import type { TermIndex } from './engine.js';

/** A GIN index over a `tsvector`. The function makes the planner take it, and may do so whatever row-level security says. */
export const POSTGRESQL_TERMS: TermIndex = {
  insert: {
    statement: 'insert into document_terms (tenant_id, document_id, terms) values (?, ?, ?)',
    table: 'document_terms',
    columns: 'tenant_id, document_id, terms',
    columnTypes: ['uuid', 'uuid', 'tsvector'],
  },
  select: 'select document_id from documents_with_terms(?::uuid, ?::tsquery) as document_id',
  print: (condition) =>
    condition
      .map((terms) => terms.map(({ term, isPrefix }) => (isPrefix ? `${term}:*` : term)).join(' & '))
      .join(' | '),
};
