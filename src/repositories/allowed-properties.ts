import { ValidationError } from '../errors.js';

/**
 * A key that a caller gave, as text. An object in its place could be a query of the ORM that finds some other row.
 *
 * @throws ValidationError when it is no text.
 */
export function textKey(entity: string, path: string, value: unknown): string {
  if (typeof value === 'string') return value;
  const kind = value === null ? 'null' : typeof value;
  throw new ValidationError(entity, [{ path, rule: 'isString', message: 'must be given as text', kind }]);
}

/**
 * What a caller gave, as an object.
 *
 * @throws ValidationError when it is none.
 */
export function record<T extends object>(entity: string, input: T): T;
export function record(entity: string, input: unknown): object;
export function record(entity: string, input: unknown): object {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  const kind = input === null ? 'null' : Array.isArray(input) ? 'array' : typeof input;
  throw new ValidationError(entity, [{ path: 'input', rule: 'isObject', message: 'must be an object', kind }]);
}

/**
 * What a caller gave, without what is undefined. Input often comes straight from a request's body: a property that is not `allowed`,
 * such as `tenant` or `version`, is refused rather than written or dropped.
 *
 * @throws ValidationError naming every property that is not allowed.
 */
export function allowedProperties(entity: string, input: unknown, allowed: readonly string[]): Record<string, unknown> {
  const given = Object.entries(record(entity, input)).filter(([, value]) => value !== undefined);
  const refused = given.filter(([key]) => !allowed.includes(key));
  if (refused.length > 0) {
    const message = `cannot be set here; ${allowed.join(', ')} can`;
    const issues = refused.map(([path, value]) => ({ path, rule: 'allowed', message, kind: typeof value }));
    throw new ValidationError(entity, issues);
  }
  return Object.fromEntries(given);
}
