import { ValidationError } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { isId } from './id.js';

/** Which part of a list to read. */
export interface PageRequest {
  /** The `next` of the page before; the first page without it. */
  readonly after?: string | undefined;
  /** At most this many items, 1 to 1,000; 50 unless given. */
  readonly limit?: number | undefined;
}

/** A part of a list, cut by key: rows that come or go meanwhile neither shift nor repeat others. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The `after` of the next page; null on the last one. */
  readonly next: string | null;
}

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 1_000;

/** @throws ValidationError unless `value` is a whole number between 1 and `max`. */
export function assertLimit(name: string, value: number, max = MAX_LIMIT): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new ValidationError('The request', [brokenRule(name, 'limit', value, [max])]);
}

/** @throws ValidationError when the limit or the cursor cannot be one. */
export function resolvePage(request: PageRequest): { readonly after: string | undefined; readonly limit: number } {
  const limit = request.limit ?? DEFAULT_LIMIT;
  assertLimit('limit', limit);
  if (request.after !== undefined && !isId(request.after)) {
    throw new ValidationError('The request', [brokenRule('after', 'cursor', request.after)]);
  }
  return { after: request.after, limit };
}

/** Cuts a page from `limit + 1` rows that were read to see whether there are more. */
export function toPage<Raw, Item extends object>(
  raws: readonly Raw[],
  limit: number,
  toItem: (raw: Raw) => Item,
): Page<Item> {
  const items = (raws.length > limit ? raws.slice(0, limit) : raws).map((raw) => toItem(raw));
  const last = items.at(-1) as { readonly id: string } | undefined;
  return { items, next: raws.length > limit && last ? last.id : null };
}
