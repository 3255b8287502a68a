import type { SqlEntityManager } from '@mikro-orm/sql';
import { Document, type DocumentStatus } from '../entities/document.js';
import { rankedConditions, type SoughtWord, soughtWords } from '../search/query.js';
import { snippetOf } from '../search/snippet.js';
import type { Row } from './compiled-table.js';
import { type DocumentHit, type DocumentSearchOptions, resolveSearch } from './document-search.js';
import { termLookup } from './document-terms.js';
import { ExternallyKeyedRepository } from './externally-keyed.repository.js';
import { runStatement } from './statement.js';

/** Candidates are ids alone; documents may have megabytes, so few of them are read at a time. */
const CANDIDATES_AT_ONCE = 200;
const READ_AT_ONCE = 10;

interface Candidate {
  readonly id: string;
  readonly score: number;
}

export class DocumentRepository extends ExternallyKeyedRepository<Document> {
  constructor(em: SqlEntityManager) {
    super(em, Document);
  }

  /**
   * The documents in which every word of the query occurs, the best first: words in the title count most, then how frequent they are in
   * the content; of equal ones the newest comes first. An empty list for a query without a letter or a digit.
   *
   * @throws ValidationError
   */
  async search(query: string, options: DocumentSearchOptions = {}): Promise<DocumentHit[]> {
    const { limit, status, highlight } = resolveSearch(query, options);
    const words = soughtWords(query);
    const hits: DocumentHit[] = [];
    if (words.length === 0) return hits;
    for await (const candidates of this.#candidates(words, status)) {
      // As many as are still wanted: most often every candidate is a hit.
      while (candidates.length > 0 && hits.length < limit) {
        const some = candidates.splice(0, Math.min(READ_AT_ONCE, limit - hits.length));
        const rows = await this.readWhere(`${this.table.column('id')} in (?)`, [some.map(({ id }) => id)]);
        for (const { id, score } of some) {
          const row = rows.find((found) => found.id === id);
          const snippet = row && snippetOf(row, words, highlight);
          if (snippet === undefined) continue;
          const { content: _content, ...document } = row as Row<Document>;
          hits.push({ document, score, snippet });
        }
      }
      if (hits.length === limit) break;
    }
    return hits;
  }

  /** What the index proposes, the best first. It may propose more than there is: what is in the documents' text decides. */
  async *#candidates(words: readonly SoughtWord[], status: DocumentStatus): AsyncGenerator<Candidate[]> {
    const lookup = termLookup(this.em);
    const conditions = rankedConditions(this.tenantId, words);
    const matches = conditions.map(
      ({ weight }) => `select document_id, ${String(weight)} as weight from (${lookup.select}) as found`,
    );
    const [tenant, id, own] = (['tenantId', 'id', 'status'] as const).map((key) => this.table.column(key));
    // Not joined, so that no engine can think of reading all of the tenant's documents first.
    const sql = `
      select id, score
        from (select document_id as id, sum(weight) as score from (${matches.join(' union all ')}) as matches group by document_id) as ranked
       where (select ${own} from ${this.table.name} as d where d.${tenant} = ? and d.${id} = ranked.id) = ?
       order by score desc, id desc limit ? offset ?`;
    const values = conditions.flatMap(({ condition }) => [this.tenantId, lookup.print(condition)]);
    for (let offset = 0; ; offset += CANDIDATES_AT_ONCE) {
      const bound = [...values, this.tenantId, status, CANDIDATES_AT_ONCE, offset];
      const rows = await runStatement<{ id: string; score: number | string }>(this.em, sql, bound);
      yield rows.map((row) => ({ id: row.id, score: Number(row.score) }));
      if (rows.length < CANDIDATES_AT_ONCE) return;
    }
  }
}
