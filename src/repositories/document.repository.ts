import type { SqlEntityManager } from '@mikro-orm/sql';
import { Document } from '../entities/document.js';
import { ExternallyKeyedRepository } from './externally-keyed.repository.js';

export class DocumentRepository extends ExternallyKeyedRepository<Document> {
  constructor(em: SqlEntityManager) {
    super(em, Document);
  }
}
