import { isRaw, RawQueryFragment, Utils } from '@mikro-orm/core';

/** Options of a query that go into the statement as they are. */
const TEXT_OPTIONS: ReadonlySet<string> = new Set(['indexHint', 'comments', 'hintComments']);
/** What MikroORM itself puts among them. */
const OWN_OPTIONS: ReadonlySet<string> = new Set(['ctx', 'em', 'signal']);

/** Whether SQL of the caller's own is somewhere in a condition or in the options of a query. */
export function containsSql(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(containsSql);
  if (!Utils.isPlainObject(value)) return isRaw(value) || isBuilder(value);
  return Reflect.ownKeys(value).some(
    (key) => RawQueryFragment.isKnownFragmentSymbol(key) || containsSql((value as Record<PropertyKey, unknown>)[key]),
  );
}

/** {@link containsSql} for the options of a query, some of which are SQL by their name. */
export function optionsContainSql(options: object): boolean {
  return Object.entries(options).some(
    ([name, value]) =>
      (TEXT_OPTIONS.has(name) && value !== undefined) || (!OWN_OPTIONS.has(name) && containsSql(value)),
  );
}

/** A query builder, MikroORM's or Kysely's, in place of a value is a query of its own. */
function isBuilder(value: object): boolean {
  return ['toRaw', 'toQuery', 'compile', 'toOperationNode'].some((name) => name in value);
}
