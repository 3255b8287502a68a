import { registerDecorator, type ValidationArguments, type ValidationOptions } from 'class-validator';
import { isLanguageTag } from '../messages/language-tag.js';

/** The greatest length of a caller's own key, in UTF-16 code units. */
export const EXTERNAL_ID_MAX = 255;
/** The greatest length of a message's content, in UTF-16 code units. */
export const MESSAGE_CONTENT_MAX = 1_000_000;
/** The greatest length of a document's content, in UTF-16 code units. */
export const DOCUMENT_CONTENT_MAX = 5_000_000;
/** The greatest size of a JSON value (metadata, config, parts ...), in bytes of its text in UTF-8. */
export const JSON_SIZE_MAX = 1_048_576;
/** The greatest nesting of a JSON value. */
export const JSON_DEPTH_MAX = 32;

interface Rule {
  readonly name: string;
  readonly validate: (value: unknown, args: ValidationArguments) => boolean;
  /** The limits that its message tells. */
  readonly constraints?: readonly unknown[];
}

function decorate(rule: Rule, options?: ValidationOptions): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: rule.name,
      target: target.constructor,
      propertyName: propertyName as string,
      constraints: [...(rule.constraints ?? [])],
      ...(options && { options }),
      validator: { validate: rule.validate },
    });
  };
}

/** Every engine can store it: no NUL (PostgreSQL refuses it), no lone surrogate (it has no UTF-8 form). */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Text of `min` to `max` UTF-16 code units, without NUL and without lone surrogates. */
export function IsText(bounds: { readonly min?: number; readonly max: number }): PropertyDecorator {
  const min = bounds.min ?? 1;
  return decorate({
    name: 'isText',
    validate: (value) =>
      typeof value === 'string' && value.length >= min && value.length <= bounds.max && isStorable(value),
    constraints: [min, bounds.max],
  });
}

/** A key of a tenant: lower-case letters, digits and single hyphens inside, at most 63 characters (a DNS label). */
export function IsSlug(): PropertyDecorator {
  return decorate({
    name: 'isSlug',
    validate: (value) => typeof value === 'string' && value.length <= 63 && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(value),
  });
}

/** The caller's own key of a row: no control characters, no white space at either end. */
export function IsExternalId(): PropertyDecorator {
  return decorate({
    name: 'isExternalId',
    validate: (value) =>
      typeof value === 'string' &&
      value.length > 0 &&
      value.length <= EXTERNAL_ID_MAX &&
      value.isWellFormed() &&
      value.trim() === value &&
      // eslint-disable-next-line no-control-regex -- control characters are what the rule refuses
      !/[\u0000-\u001f\u007f]/.test(value),
    constraints: [EXTERNAL_ID_MAX],
  });
}

/**
 * Bounds of the size that a value has as JSON text, in bytes: to write the text down, only to measure it, would cost more than all
 * other rules of a message together. What is too large is given up early: a list that holds a list twice, which holds another twice,
 * and so on, is larger than any memory.
 */
interface JsonSize {
  least: number;
  most: number;
}

function isJsonValue(value: unknown, size: JsonSize, depth: number): boolean {
  if (depth > JSON_DEPTH_MAX || size.least > JSON_SIZE_MAX) return false;
  if (value === null) return grow(size, 4, 4);
  if (typeof value === 'string') return isJsonText(value, size);
  if (typeof value === 'number') return grow(size, 1, 25) && Number.isFinite(value);
  if (typeof value === 'boolean') return grow(size, 4, 5);
  if (typeof value !== 'object' || saysItself(value)) return false;
  return Array.isArray(value) ? isJsonList(value, size, depth) : isJsonRecord(value, size, depth);
}

function grow(size: JsonSize, least: number, most: number): true {
  size.least += least;
  size.most += most;
  return true;
}

function isJsonText(text: string, size: JsonSize): boolean {
  // A control character becomes \u and four digits.
  return grow(size, text.length + 2, text.length * 6 + 2) && isStorable(text);
}

/** By index: `every` passes over what a list does not have, which JSON fills with null. */
function isJsonList(list: readonly unknown[], size: JsonSize, depth: number): boolean {
  grow(size, 2, 2 + list.length);
  for (let index = 0; index < list.length; index += 1) {
    if (!isJsonValue(list[index], size, depth + 1)) return false;
  }
  return true;
}

function isJsonRecord(value: object, size: JsonSize, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  grow(size, 2, 2);
  for (const key of Object.keys(value)) {
    const item = (value as Readonly<Record<string, unknown>>)[key];
    if (!isStorable(key)) return false;
    // JSON leaves out what is undefined.
    if (item === undefined) continue;
    if (!isJsonText(key, size) || !grow(size, 1, 2) || !isJsonValue(item, size, depth + 1)) return false;
  }
  return true;
}

/** Whether JSON would ask the value for another one in its place. */
function saysItself(value: object): boolean {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function fitsJson(value: unknown): boolean {
  const size = { least: 0, most: 0 };
  if (!isJsonValue(value, size, 1)) return false;
  return size.most <= JSON_SIZE_MAX || Buffer.byteLength(JSON.stringify(value)) <= JSON_SIZE_MAX;
}

const JSON_BOUNDS = [JSON_SIZE_MAX, JSON_DEPTH_MAX];

/** A plain object of JSON values, bounded in size and depth. */
export function IsJsonObject(): PropertyDecorator {
  return decorate({
    name: 'isJsonObject',
    validate: (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && fitsJson(value),
    constraints: JSON_BOUNDS,
  });
}

/** An array of JSON values, bounded in size and depth. */
export function IsJsonArray(): PropertyDecorator {
  return decorate({
    name: 'isJsonArray',
    validate: (value) => Array.isArray(value) && fitsJson(value),
    constraints: JSON_BOUNDS,
  });
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A UUID of version 7 in lower case: an engine that keeps ids as such would give back another text than it was given. */
export function IsId(): PropertyDecorator {
  return decorate({
    name: 'isUuid',
    validate: (value) => typeof value === 'string' && ID.test(value),
    constraints: ['7'],
  });
}

/** A language tag (BCP 47), such as `zh-Hans`. */
export function IsLanguageTag(): PropertyDecorator {
  return decorate({ name: 'isLanguageTag', validate: isLanguageTag });
}

/** The readable beginning of an API key. */
export function IsPrefix(): PropertyDecorator {
  return decorate({
    name: 'isPrefix',
    validate: (value) => typeof value === 'string' && /^[0-9a-z]{12}$/.test(value),
  });
}

/** SHA-256 in hexadecimal digits. */
export function IsHash(): PropertyDecorator {
  return decorate({
    name: 'isHash',
    validate: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  });
}

const SCOPE = /^[a-z][a-z0-9_.:-]{0,63}$/;

/** Names of what a key may do, such as `messages:write`. */
export function AreScopes(): PropertyDecorator {
  return decorate({
    name: 'areScopes',
    validate: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string' && SCOPE.test(item)),
  });
}

/** A media type without parameters, such as `text/markdown`. */
export function IsMediaType(): PropertyDecorator {
  return decorate({
    name: 'isMediaType',
    validate: (value) => typeof value === 'string' && /^[\w.+-]{1,63}\/[\w.+-]{1,63}$/.test(value),
  });
}

/** An E.164 telephone number: a plus sign and 8 to 15 digits. */
export function IsPhone(): PropertyDecorator {
  return decorate({
    name: 'isPhone',
    validate: (value) => typeof value === 'string' && /^\+[1-9]\d{7,14}$/.test(value),
  });
}

/** A calendar day in UTC, `YYYY-MM-DD`. */
export function IsDay(): PropertyDecorator {
  return decorate({
    name: 'isDay',
    validate: (value) => {
      if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
      const instant = Date.parse(`${value}T00:00:00Z`);
      return Number.isFinite(instant) && new Date(instant).toISOString().startsWith(value);
    },
  });
}

/** The instants that every engine can store: the years 1 to 9999. */
const EARLIEST_INSTANT = Date.parse('0001-01-01T00:00:00Z');
const LATEST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');

/** A valid instant between the years 1 and 9999. */
export function IsInstant(): PropertyDecorator {
  return decorate({
    name: 'isInstant',
    validate: (value) =>
      value instanceof Date && value.getTime() >= EARLIEST_INSTANT && value.getTime() <= LATEST_INSTANT,
  });
}

/** An instant that does not lie before the instant in another property of the same object. */
export function IsNotBefore(other: string): PropertyDecorator {
  return decorate({
    name: 'isNotBefore',
    validate: (value, args) => {
      const begin = (args.object as Record<string, unknown>)[other];
      return !(value instanceof Date) || !(begin instanceof Date) || value.getTime() >= begin.getTime();
    },
    constraints: [other],
  });
}

/** Content may only be empty where something else carries the message: its parts, or a recording. */
export function HasContent(): PropertyDecorator {
  return decorate({
    name: 'hasContent',
    validate: (value, args) => {
      if (value !== '') return true;
      const { modality, parts } = args.object as { modality?: unknown; parts?: unknown };
      return modality === 'voice' || (Array.isArray(parts) && parts.length > 0);
    },
  });
}

/** What the ORM counts the changes of a row by; there is none before the row is stored. */
export function IsVersion(): PropertyDecorator {
  return decorate({
    name: 'version',
    validate: (value) => value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1),
  });
}

/** A decimal number, as text, not negative. Nine digits before the point and six after it are what SQLite keeps exactly. */
export function IsMoney(): PropertyDecorator {
  return decorate({
    name: 'isMoney',
    validate: (value) => typeof value === 'string' && /^\d{1,9}(?:\.\d{1,6})?$/.test(value),
  });
}
