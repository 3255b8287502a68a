import { createHash } from 'node:crypto';
import { Document, type DocumentStatus } from '../entities/document.js';
import { record } from '../repositories/allowed-properties.js';
import type { Row } from '../repositories/compiled-table.js';
import type { DocumentHit, DocumentSearchOptions } from '../repositories/document-search.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { page } from '../repositories/read-plans.js';
import type { ChangeOptions } from '../repositories/tenant-owned.repository.js';
import type { CreateOptions } from './once.js';
import type { TenantScope } from './tenant-scope.js';

export interface DocumentInput {
  /** The caller's own key, unique within the tenant. */
  readonly externalId: string;
  readonly title: string;
  readonly content: string;
  /** A media type; `text/plain` unless given. */
  readonly contentType?: string;
  readonly source?: string | null;
  readonly metadata?: Record<string, unknown>;
}

export interface DocumentChanges extends Partial<Omit<DocumentInput, 'externalId'>> {
  readonly status?: DocumentStatus;
}

/** SHA-256 of a document's content, in hexadecimal digits. What is no text is for the rules to refuse. */
export function checksumOf(content: unknown): string {
  return createHash('sha256').update(String(content)).digest('hex');
}

const TEXT = ['title', 'content', 'contentType', 'source', 'metadata'] as const;
const SETTABLE = ['externalId', ...TEXT] as const;
const CHANGEABLE = [...TEXT, 'status'] as const;

export class DocumentsService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /** @throws ValidationError, AlreadyExistsError when the external id is taken, IdempotencyConflictError. */
  async create(input: DocumentInput, options: CreateOptions = {}): Promise<Row<Document>> {
    const call = { ...options, entity: Document, operation: 'documents.create', input };
    return this.#scope.create(call, async ({ em, documents }) => {
      const { content } = record('Document', input);
      const document = documents.createFrom(input, SETTABLE, () => ({ checksum: checksumOf(content) }));
      await em.flush();
      return documents.toRow(document);
    });
  }

  /** @throws NotFoundError when the tenant has no such document. */
  get(id: string): Promise<Row<Document>> {
    return this.#scope.get(Document, id);
  }

  /** @throws NotFoundError when the tenant has no such document. */
  getByExternalId(externalId: string): Promise<Row<Document>> {
    return this.#scope.getBy(Document, 'externalId', externalId);
  }

  /**
   * Changes what is named in `changes` and leaves the rest; the checksum follows the content.
   *
   * @throws VersionConflictError when it is not at `ifVersion` any more.
   */
  async update(id: string, changes: DocumentChanges, options: ChangeOptions = {}): Promise<Row<Document>> {
    return this.#scope.write(async ({ documents }) => {
      const { content } = record('Document', changes);
      const added = content === undefined ? {} : { checksum: checksumOf(content) };
      return documents.change(id, changes, CHANGEABLE, options, added);
    });
  }

  /** Documents in the order in which they were made, the oldest first. */
  async list(request: PageRequest = {}): Promise<Page<Row<Document>>> {
    return this.#scope.query(Document, (table, tenantId) => page(table, tenantId, request));
  }

  /**
   * The documents in which every word of the query occurs, the best first. A word of three letters or more also stands for longer words
   * that begin with it; Chinese, Japanese, Korean and Thai words are found inside text. Case and accents make no difference, and nothing
   * in a query but its letters and digits means anything.
   *
   * @throws ValidationError
   */
  async search(query: string, options: DocumentSearchOptions = {}): Promise<DocumentHit[]> {
    return this.#scope.read(({ documents }) => documents.search(query, options));
  }
}
