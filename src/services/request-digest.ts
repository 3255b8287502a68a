import { createHash } from 'node:crypto';

/** More than any request that was accepted has. */
const DEPTH_MAX = 64;

/**
 * SHA-256 of a request, in hexadecimal digits: equal for two that say the same. The order of an object's properties makes no
 * difference, nor do those that are undefined. What is no JSON has a digest too, for the rules to refuse it afterwards.
 */
export function requestDigest(request: unknown): string {
  return createHash('sha256').update(canonical(request, 0)).digest('hex');
}

/** JSON (RFC 8259) with the properties in the order of their names' UTF-16 code units, as in RFC 8785. */
function canonical(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) return '"too deep"';
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null, depth + 1)).join()}]`;
  if (typeof value !== 'object' || value === null || value instanceof Date) return scalar(value);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, depth + 1)}`).join()}}`;
}

function scalar(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return typeof value;
  return JSON.stringify(value) ?? 'undefined';
}
