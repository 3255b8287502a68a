import { expect, it } from 'vitest';
import { readOne, rejectionOf } from './archive-files.js';

const document = { title: 'Guide', content: '# Guide\n', source: 'docs:guide' };

it('reads a document, with its source for an identifier and plain text for a type', async () => {
  expect(await readOne(document)).toStrictEqual({
    kind: 'document',
    externalId: 'docs:guide',
    title: 'Guide',
    content: '# Guide\n',
    contentType: 'text/plain',
    source: 'docs:guide',
  });
});

it('keeps every field of a document and puts unknown ones into its metadata', async () => {
  const fields = { ...document, externalId: 'g1', contentType: 'text/markdown', status: 'deleted' };
  expect(await readOne({ ...fields, lang: 'en', metadata: { tags: ['a'] } })).toStrictEqual({
    kind: 'document',
    ...fields,
    metadata: { lang: 'en', tags: ['a'] },
  });
});

it.each([
  ['the document is not an object', 5],
  ['the document has no "title"', { ...document, title: undefined }],
  ['the document has no "content"', { ...document, content: null }],
  ['the document: "content" is not a string', { ...document, content: 5 }],
  ['the document has no "source"', { ...document, source: undefined }],
  ['the document has an empty "source"', { ...document, source: '' }],
  ['the document has an empty "externalId"', { ...document, externalId: '' }],
  ['the document has status "lost"; known are active, archived, deleted', { ...document, status: 'lost' }],
  ['the document has kind "conversation"; known are document', { ...document, kind: 'conversation' }],
])('rejects a document: %s', async (reason, value) => {
  expect(await rejectionOf(value, { format: 'documents' })).toBe(reason);
});
