import type { Address } from '../cache/shared-tier.js';

/*
 * The names of everything that is cached. Each begins with the tenant in braces, so that no tenant can read another's, and all names of
 * one are in one slot of a Redis cluster. What comes from a caller is always last.
 */

/** How every name of a tenant begins. */
export function tenantPrefix(tenantId: string): string {
  return `{${tenantId}}:`;
}

/** All values of a kind, such as `users`. */
export function kindTag(tenantId: string, kind: string): string {
  return `{${tenantId}}:${kind}`;
}

/** The kind of a key, and whose it is; undefined for what is only a tag. */
export function kindOfKey(key: string): { readonly tenantId: string; readonly kind: string } | undefined {
  const [, tenantId, kind] = /^\{([^}]+)\}:(\w+):(?:id:|key:|of:[^:]+:)/.exec(key) ?? [];
  return tenantId === undefined || kind === undefined ? undefined : { tenantId, kind };
}

/** The key of {@link rowAddress}. */
export function rowKey(tenantId: string, kind: string, id: string): string {
  return `${kindTag(tenantId, kind)}:id:${id}`;
}

/** A row by its id. */
export function rowAddress(tenantId: string, kind: string, id: string): Address {
  return { key: rowKey(tenantId, kind, id), tags: [kindTag(tenantId, kind)] };
}

/** The id of the row that has a key of the caller's own. */
export function keyAddress(tenantId: string, kind: string, key: string): Address {
  const tag = kindTag(tenantId, kind);
  return { key: `${tag}:key:${key}`, tags: [tag] };
}

/** What a query of MikroORM found, whose name is known by its digest; an empty tenant stands for none. */
export function queryAddress(tenantId: string, digest: string): Address {
  const tag = kindTag(tenantId || 'no tenant', 'queries');
  return { key: `${tag}:id:${digest}`, tags: [tag] };
}

/** All parts of a conversation's history. */
export function historyTag(tenantId: string, conversationId: string): string {
  return `{${tenantId}}:history:of:${conversationId}`;
}

/** A part of a conversation's history; `part` says which. */
export function historyAddress(tenantId: string, conversationId: string, part: string): Address {
  return {
    key: `${historyTag(tenantId, conversationId)}:${part}`,
    tags: [kindTag(tenantId, 'history'), historyTag(tenantId, conversationId)],
  };
}
