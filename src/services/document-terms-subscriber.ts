import type { EntityName, EventArgs, EventSubscriber } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Document } from '../entities/document.js';
import { addDocumentTerms, replaceDocumentTerms } from '../repositories/document-terms.js';

/** Keeps search up to date with what units of work write, in their own transaction. */
export class DocumentTermsSubscriber implements EventSubscriber<Document> {
  getSubscribedEntities(): EntityName<Document>[] {
    return [Document];
  }

  async afterCreate({ entity, em }: EventArgs<Document>): Promise<void> {
    const { tenant, id, title, content } = entity;
    await addDocumentTerms(em as SqlEntityManager, [{ tenantId: tenant.id, id, title, content }]);
  }

  async afterUpdate({ entity, em, changeSet }: EventArgs<Document>): Promise<void> {
    const written = changeSet?.payload;
    if (written?.title === undefined && written?.content === undefined) return;
    await replaceDocumentTerms(em as SqlEntityManager, entity.tenant.id, entity.id);
  }
}
