import { ValidationError } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';

/**
 * A key that a caller gave, as text. An object in its place could be a query of the ORM that finds some other row.
 *
 * @throws ValidationError when it is no text.
 */
export function textKey(entity: string, path: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new ValidationError(entity, [brokenRule(path, 'isString', value)]);
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
  throw new ValidationError(entity, [brokenRule('input', 'isObject', input)]);
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
    const issues = refused.map(([path, value]) => brokenRule(path, 'allowed', value, [[...allowed]]));
    throw new ValidationError(entity, issues);
  }
  return Object.fromEntries(given);
}
