import type { ErrorCode, ErrorFields } from '../errors.js';

/** The languages in which errors can speak. */
export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

export function isLanguage(value: unknown): value is Language {
  return (LANGUAGES as readonly unknown[]).includes(value);
}

/** What a rule asks: the end of a sentence that begins with the property. Its constraints are numbers, texts, or lists of them. */
export type RuleMessage = (...constraints: readonly unknown[]) => string;

/** Everything that people may read of an error, in one language. */
export interface Catalog {
  /** What happened and what to do next, by code. */
  readonly errors: { readonly [Code in ErrorCode]: (fields: ErrorFields[Code]) => string };
  /** By the name of the rule. */
  readonly rules: Readonly<Record<RuleName, RuleMessage>>;
  /** For a rule that has no message of its own. */
  readonly otherRule: string;
}

export const RULE_NAMES = [
  'allowed',
  'areScopes',
  'arrayMaxSize',
  'arrayUnique',
  'check',
  'cursor',
  'denseSequence',
  'hasContent',
  'isArray',
  'isDay',
  'isEmail',
  'isExternalId',
  'isHash',
  'isIn',
  'isInstant',
  'isInt',
  'isJsonArray',
  'isJsonObject',
  'isMediaType',
  'isMoney',
  'isNotBefore',
  'isNumber',
  'isObject',
  'isPhone',
  'isPrefix',
  'isSlug',
  'isString',
  'isText',
  'isUuid',
  'kept',
  'limit',
  'max',
  'min',
  'notNull',
  'oneKind',
  'range',
  'seq',
  'storable',
  'tenantKey',
  'together',
  'type',
  'version',
] as const;
export type RuleName = (typeof RULE_NAMES)[number];

export function isRuleName(name: string): name is RuleName {
  return (RULE_NAMES as readonly string[]).includes(name);
}
