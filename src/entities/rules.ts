import { registerDecorator, type ValidationArguments, type ValidationOptions } from 'class-validator';

/** The greatest length of a caller's own key, in UTF-16 code units. */
export const EXTERNAL_ID_MAX = 255;
/** The greatest length of a message's content, in UTF-16 code units. */
export const MESSAGE_CONTENT_MAX = 1_000_000;
/** The greatest length of a document's content, in UTF-16 code units. */
export const DOCUMENT_CONTENT_MAX = 5_000_000;
/** The greatest size of a JSON value (metadata, config, parts ...), in UTF-16 code units of its text. */
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

function isJsonValue(value: unknown, depth: number): boolean {
  if (depth > JSON_DEPTH_MAX) return false;
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'string') return isStorable(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every((item) => isJsonValue(item, depth + 1));
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // JSON leaves out what is undefined.
  return Object.entries(value).every(
    ([key, item]) => isStorable(key) && (item === undefined || isJsonValue(item, depth + 1)),
  );
}

function fitsJson(value: unknown): boolean {
  return isJsonValue(value, 1) && JSON.stringify(value).length <= JSON_SIZE_MAX;
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
