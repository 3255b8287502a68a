import type { ErrorCode, ErrorFields } from './error-fields.js';
import { isLanguageTag } from './language-tag.js';

/** The languages in which errors can speak. */
export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language that a tag of BCP 47 asks for, by lookup (RFC 4647, section 3.4): `zh-Hant-TW` finds `zh`; undefined where there is none. */
export function languageFor(tag: unknown): Language | undefined {
  if (!isLanguageTag(tag)) return undefined;
  const [primary] = tag.toLowerCase().split('-');
  return LANGUAGES.find((language) => language === primary);
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
  'isLanguageTag',
  'isMediaType',
  'isMoney',
  'isNotBefore',
  'isNumber',
  'isObject',
  'isPhone',
  'isPrefix',
  'isQuota',
  'isSlug',
  'isString',
  'isText',
  'isUuid',
  'kept',
  'known',
  'limit',
  'max',
  'min',
  'notNull',
  'oneKind',
  'protoKey',
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
