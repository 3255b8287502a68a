import { ValidationError } from '../errors.js';

/**
 * What a caller gave, without what is undefined. Input often comes straight from a request's body: a property that is not `allowed`,
 * such as `tenant` or `version`, is refused rather than written or dropped.
 *
 * @throws ValidationError naming every property that is not allowed.
 */
export function allowedProperties(entity: string, input: object, allowed: readonly string[]): Record<string, unknown> {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  const refused = given.filter(([key]) => !allowed.includes(key));
  if (refused.length > 0) {
    const message = `cannot be set here; ${allowed.join(', ')} can`;
    const issues = refused.map(([path, value]) => ({ path, rule: 'allowed', message, kind: typeof value }));
    throw new ValidationError(entity, issues);
  }
  return Object.fromEntries(given);
}
