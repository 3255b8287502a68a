/** The source of what was made by Colloquy itself rather than imported. */
export const OWN_SOURCE = 'colloquy';

/**
 * An archive's key as one external id, `source:id`. Colons of the source are escaped, so the first colon ends it and no two keys
 * collide. What Colloquy itself exported keeps the external id that it had.
 */
export function toExternalId(source: string, id: string): string {
  return source === OWN_SOURCE ? id : `${escapeSource(source)}:${id}`;
}

/** The inverse of {@link toExternalId}. */
export function fromExternalId(externalId: string): { readonly source: string; readonly id: string } {
  const colon = externalId.indexOf(':');
  if (colon <= 0) return { source: OWN_SOURCE, id: externalId };
  return { source: unescapeSource(externalId.slice(0, colon)), id: externalId.slice(colon + 1) };
}

/** The external id of the user of conversations whose archive names nobody: the source alone, without a colon. */
export function anonymousExternalId(source: string): string {
  return escapeSource(source);
}

function escapeSource(source: string): string {
  return source.replaceAll('%', '%25').replaceAll(':', '%3A');
}

function unescapeSource(escaped: string): string {
  return escaped.replaceAll('%3A', ':').replaceAll('%25', '%');
}
