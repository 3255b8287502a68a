import { type Document, DOCUMENT_STATUSES, type DocumentStatus } from '../entities/document.js';
import { isStorable } from '../entities/rules.js';
import { ValidationError, type ValidationIssue } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import type { Highlight } from '../search/snippet.js';
import { allowedProperties } from './allowed-properties.js';
import type { Row } from './compiled-table.js';

export interface DocumentSearchOptions {
  /** At most this many hits, 1 to 100; 20 unless given. */
  readonly limit?: number;
  /** Documents of this status only; `active` unless given. */
  readonly status?: DocumentStatus;
  /** What stands before and after each word in a snippet that was found; `['<mark>', '</mark>']` unless given. */
  readonly highlight?: Highlight;
}

export interface DocumentHit {
  /** The document without its content. */
  readonly document: Omit<Row<Document>, 'content'>;
  /** The higher, the better; a whole number, the same on every engine, to be compared within one search. */
  readonly score: number;
  /**
   * About 200 characters of the content, the words that were found highlighted, or its beginning where they are in the title alone. The
   * text is the document's own and nothing in it is escaped: what goes into HTML must be escaped first, with marks that survive it.
   */
  readonly snippet: string;
}

/** The greatest length of a query, in UTF-16 code units. */
const QUERY_MAX = 500;
const LIMIT_MAX = 100;
const MARK_MAX = 100;

const DEFAULTS = { limit: 20, status: 'active', highlight: ['<mark>', '</mark>'] } as const;

/**
 * What a caller asked for, with the defaults filled in.
 *
 * @throws ValidationError with every rule that it breaks.
 */
export function resolveSearch(query: string, options: DocumentSearchOptions): Required<DocumentSearchOptions> {
  const given = allowedProperties('The search', options, Object.keys(DEFAULTS));
  const { limit, status, highlight } = { ...DEFAULTS, ...given };
  const issues: ValidationIssue[] = [];
  if (!isText(query, QUERY_MAX)) issues.push(brokenRule('query', 'isText', query, [0, QUERY_MAX]));
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
    issues.push(brokenRule('limit', 'limit', limit, [LIMIT_MAX]));
  }
  if (!DOCUMENT_STATUSES.includes(status)) issues.push(brokenRule('status', 'isIn', status, [[...DOCUMENT_STATUSES]]));
  const marks: unknown = highlight;
  if (!Array.isArray(marks)) issues.push(brokenRule('highlight', 'isArray', marks));
  else {
    for (const index of [0, 1]) {
      if (isText(marks[index], MARK_MAX)) continue;
      issues.push(brokenRule(`highlight.${String(index)}`, 'isText', marks[index], [0, MARK_MAX]));
    }
  }
  if (issues.length > 0) throw new ValidationError('The search', issues);
  return { limit, status, highlight };
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max && isStorable(value);
}
