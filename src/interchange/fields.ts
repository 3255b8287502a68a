import { isInstant } from './instant.js';
import { quote, Rejection } from './rejection.js';

/**
 * Checked access to the fields of a parsed record. `subject` begins the reason: `message 3`, `the conversation`. An optional field
 * that is null counts as absent, since most published archives write it so.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function toObject(value: unknown, subject: string): JsonObject {
  if (!isObject(value)) throw new Rejection(`${subject} is not an object`);
  return value;
}

export function requiredString(fields: JsonObject, key: string, subject: string): string {
  const value = optionalString(fields, key, subject);
  if (value === undefined) throw new Rejection(`${subject} has no "${key}"`);
  return value;
}

/** A string that identifies something, so it cannot be empty. */
export function requiredKey(fields: JsonObject, key: string, subject: string): string {
  const value = requiredString(fields, key, subject);
  if (value === '') throw new Rejection(`${subject} has an empty "${key}"`);
  return value;
}

/** Published archives number their records too; a number must be exact, or two records could get the same key. */
export function optionalStringOrNumber(fields: JsonObject, key: string, subject: string): string | undefined {
  const value = fields[key];
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'number') throw new Rejection(`${subject}: "${key}" is a number that is not exact; quote it`);
  return value === '' ? undefined : optionalString(fields, key, subject);
}

export function optionalString(fields: JsonObject, key: string, subject: string): string | undefined {
  const value = fields[key] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new Rejection(`${subject}: "${key}" is not a string`);
}

export function optionalInstant(fields: JsonObject, key: string, subject: string): string | undefined {
  const value = optionalString(fields, key, subject);
  if (value === undefined || isInstant(value)) return value;
  throw new Rejection(`${subject}: "${key}" is not a real time in ISO 8601 with an offset`);
}

export function optionalNumber(fields: JsonObject, key: string, subject: string): number | undefined {
  const value = fields[key] ?? undefined;
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0)) return value;
  throw new Rejection(`${subject}: "${key}" is not a finite number from 0`);
}

export function optionalArray(fields: JsonObject, key: string, subject: string): readonly unknown[] | undefined {
  const value: unknown = fields[key] ?? undefined;
  if (value === undefined || Array.isArray(value)) return value;
  throw new Rejection(`${subject}: "${key}" is not an array`);
}

export function requiredArray(fields: JsonObject, key: string, subject: string): readonly unknown[] {
  const value = optionalArray(fields, key, subject);
  if (value === undefined) throw new Rejection(`${subject} has no "${key}"`);
  return value;
}

export function optionalObject(fields: JsonObject, key: string, subject: string): JsonObject | undefined {
  const value = fields[key] ?? undefined;
  if (value === undefined || isObject(value)) return value;
  throw new Rejection(`${subject}: "${key}" is not an object`);
}

export function optionalChoice<T extends string>(
  fields: JsonObject,
  key: string,
  choices: readonly T[],
  subject: string,
): T | undefined {
  const value = optionalString(fields, key, subject);
  const choice = choices.find((candidate) => candidate === value);
  if (value === undefined || choice !== undefined) return choice;
  throw new Rejection(`${subject} has ${key} ${quote(value)}; known are ${choices.join(', ')}`);
}

/** The translation of a role, from a format's own words. */
export function requiredRole<T>(fields: JsonObject, key: string, roles: ReadonlyMap<string, T>, subject: string): T {
  const name = requiredString(fields, key, subject);
  const role = roles.get(name);
  if (role !== undefined) return role;
  throw new Rejection(`${subject} has role ${quote(name)}; known roles are ${[...roles.keys()].join(', ')}`);
}

/**
 * What has no field of its own: the fields other than the `known` ones, joined with those of an explicit `metadata` object, which
 * win where both have a key.
 */
export function metadataOf(fields: JsonObject, known: ReadonlySet<string>, subject: string): JsonObject | undefined {
  const explicit = optionalObject(fields, 'metadata', subject);
  const unknown = Object.keys(fields).filter((key) => !known.has(key) && key !== 'metadata');
  if (unknown.length === 0) return explicit;
  return { ...Object.fromEntries(unknown.map((key) => [key, fields[key]])), ...explicit };
}

/** Optional fields may be undefined here, required ones may not. */
type WithUndefined<T> = { [K in keyof T]: undefined extends T[K] ? T[K] | undefined : T[K] };

/** The fields without those that are undefined: a record of an archive either has a field or does not. */
export function defined<T extends object>(fields: WithUndefined<T>): T;
export function defined(fields: JsonObject): JsonObject {
  const present: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) if (fields[key] !== undefined) present[key] = fields[key];
  return present;
}
