/** The source of what was made by Colloquy itself rather than imported. */
export const OWN_SOURCE = 'colloquy';

/**
 * An archive's key as one external id, `source:id`. Colons of the source are escaped, so the first colon ends it and no two keys
 * collide. What Colloquy itself exported keeps the external id that it had.
 */
export function toExternalId(source: string, id: string): string {
  if (source === OWN_SOURCE && isOwn(id)) return id;
  return `${escapeSource(source)}:${id}`;
}

/** The inverse of {@link toExternalId}: any external id comes back from what is made of it. */
export function fromExternalId(externalId: string): { readonly source: string; readonly id: string } {
  if (isOwn(externalId)) return { source: OWN_SOURCE, id: externalId };
  const colon = externalId.indexOf(':');
  return { source: unescapeSource(externalId.slice(0, colon)), id: externalId.slice(colon + 1) };
}

/** The external id of the user of conversations whose archive names nobody: a source with no name after it. */
export function anonymousExternalId(source: string): string {
  return `${escapeSource(source)}:`;
}

/** Whether an external id is nobody's `source:id`: it has no such form, or nothing would be made into it. */
function isOwn(externalId: string): boolean {
  const colon = externalId.indexOf(':');
  const [source, id] = [externalId.slice(0, Math.max(colon, 0)), externalId.slice(colon + 1)];
  if (source === '' || id === '' || escapeSource(unescapeSource(source)) !== source) return true;
  return source === OWN_SOURCE && isOwn(id);
}

function escapeSource(source: string): string {
  return source.replaceAll('%', '%25').replaceAll(':', '%3A');
}

function unescapeSource(escaped: string): string {
  return escaped.replaceAll('%3A', ':').replaceAll('%25', '%');
}
