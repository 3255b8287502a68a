import type { ValidationIssue } from '../errors.js';
import { type Catalog, isRuleName } from './catalog.js';
import { english } from './english.js';

/** A broken rule, with its message in English. `value` is what was found; only its kind is kept. */
export function brokenRule(
  path: string,
  rule: string,
  value: unknown,
  constraints: readonly unknown[] = [],
): ValidationIssue {
  return issueOf(path, rule, kindOf(value), constraints);
}

/** {@link brokenRule} where only an engine has seen the value. */
export function ruleBrokenInDatabase(path: string, rule: string): ValidationIssue {
  return issueOf(path, rule, 'unknown', []);
}

function issueOf(path: string, rule: string, kind: string, constraints: readonly unknown[]): ValidationIssue {
  const message = ruleMessage(english, rule, constraints);
  return { path, rule, message, kind, ...(constraints.length > 0 && { constraints }) };
}

export function ruleMessage({ rules, otherRule }: Catalog, rule: string, constraints: readonly unknown[] = []): string {
  return isRuleName(rule) ? rules[rule](...constraints) : otherRule;
}

/** What kind of value was found, for a message that must not show the value itself. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array of ${String(value.length)}`;
  if (typeof value === 'string') return `string of ${String(value.length)}`;
  if (value instanceof Date) return 'date';
  return typeof value;
}
