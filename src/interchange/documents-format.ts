import type { ArchivedDocument } from './archive.js';
import {
  defined,
  metadataOf,
  optionalChoice,
  optionalString,
  requiredKey,
  requiredString,
  toObject,
} from './fields.js';

const KNOWN = new Set(['kind', 'title', 'content', 'contentType', 'source', 'externalId', 'status']);

/**
 * A document: `{"title","content","source","contentType"?,"externalId"?,"status"?,"metadata"?}`. `contentType` is `text/plain` and
 * `externalId` is `source` where the archive has none.
 *
 * @throws Rejection
 */
export function readDocument(value: unknown): ArchivedDocument {
  const subject = 'the document';
  const fields = toObject(value, subject);
  optionalChoice(fields, 'kind', ['document'], subject);
  const source = requiredKey(fields, 'source', subject);
  return defined<ArchivedDocument>({
    kind: 'document',
    externalId: requiredKey({ ...fields, externalId: fields['externalId'] ?? source }, 'externalId', subject),
    title: requiredString(fields, 'title', subject),
    content: requiredString(fields, 'content', subject),
    contentType: optionalString(fields, 'contentType', subject) ?? 'text/plain',
    source,
    status: optionalChoice(fields, 'status', ['active', 'archived', 'deleted'], subject),
    metadata: metadataOf(fields, KNOWN, subject),
  });
}
