import { ValidationError, type ValidationIssue } from '../errors.js';
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

/** What a caller gave, and what is wrong with its names and keys; the rules of the entity are asked for the rest. */
export interface GivenProperties {
  /** The properties that are allowed, without what is undefined. */
  readonly given: Record<string, unknown>;
  readonly issues: readonly ValidationIssue[];
}

/**
 * What is wrong with the names of what a caller gave.
 *
 * @throws ValidationError when it is no object.
 */
export function issuesOfNames(entity: string, input: unknown, allowed: readonly string[]): ValidationIssue[] {
  const properties = record(entity, input) as Readonly<Record<string, unknown>>;
  const issues: ValidationIssue[] = [];
  for (const name of Object.keys(properties)) {
    const value = properties[name];
    if (value !== undefined && !allowed.includes(name)) issues.push(brokenRule(name, 'allowed', value, [[...allowed]]));
  }
  return issues;
}

/**
 * Sorts what a caller gave. Input often comes straight from a request's body: a property that is not `allowed`, such as `tenant` or
 * `version`, is refused rather than written or dropped. Of the allowed ones, `keys` name other rows, and must be text.
 *
 * @throws ValidationError when it is no object.
 */
export function givenProperties(
  entity: string,
  input: unknown,
  allowed: readonly string[],
  keys: readonly string[] = [],
): GivenProperties {
  const properties = record(entity, input) as Readonly<Record<string, unknown>>;
  const given: Record<string, unknown> = {};
  const issues = issuesOfNames(entity, input, [...allowed, ...keys]);
  for (const name of Object.keys(properties)) {
    const isAllowed = allowed.includes(name) || keys.includes(name);
    if (isAllowed && properties[name] !== undefined) given[name] = properties[name];
  }
  for (const name of keys) {
    if (typeof properties[name] !== 'string') issues.push(brokenRule(name, 'isString', properties[name]));
  }
  return { given, issues };
}

/** The properties that a caller may give. @throws ValidationError naming every one that is not allowed. */
export function allowedProperties(entity: string, input: unknown, allowed: readonly string[]): Record<string, unknown> {
  const { given, issues } = givenProperties(entity, input, allowed);
  if (issues.length > 0) throw new ValidationError(entity, issues);
  return given;
}
