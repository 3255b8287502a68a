import {
  type Configuration,
  type Dictionary,
  isRaw,
  JsonProperty,
  type Platform,
  raw,
  type RawQueryFragment,
} from '@mikro-orm/core';
import type { NativeQueryBuilder } from '@mikro-orm/sql';
import { StatementRefusedError } from '../errors.js';

/** SQL text with its placeholders, and the values for them in order. */
export interface BoundStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** How an engine writes its nth placeholder, and turns a value into what its driver binds. */
export interface BindingStyle {
  readonly placeholder: (position: number) => string;
  readonly toDriver: (value: unknown) => unknown;
}

/** A question mark, the place of an identifier, and the place of a value. */
const MARKS = /\\\?|\?\??/g;

/**
 * MikroORM 7 prints every value into the SQL text. This takes the same text and parameters before that happens and makes a statement
 * whose values are bound: `?` becomes a placeholder, `??` an identifier, `\?` a question mark; a raw fragment is inlined with its
 * own values bound, a list becomes one placeholder an item, a JSON value its text.
 */
export function bindStatement(
  platform: Platform,
  style: BindingStyle,
  sql: string,
  parameters: readonly unknown[],
): BoundStatement {
  const values: unknown[] = [];

  const bind = (value: unknown): string => {
    if (isRaw(value)) return render(value.sql, value.params);
    if (Array.isArray(value) && !isJson(value)) return value.map(bind).join(', ');
    values.push(style.toDriver(isJson(value) ? JSON.stringify(value) : value));
    return style.placeholder(values.length);
  };

  const render = (text: string, given: readonly unknown[]): string => {
    let next = 0;
    return text.replace(MARKS, (mark) => {
      if (mark === '\\?') return '?';
      const value = given[next++];
      return mark === '??' ? platform.quoteIdentifier(value as string) : bind(value);
    });
  };

  return parameters.length === 0 ? { text: sql, values } : { text: render(sql, parameters), values };
}

/**
 * Where MikroORM takes SQL but no values beside it (in `order by`, in the list of a query builder's `select`, in a sub-query of a join)
 * it prints them into the text by the platform's `formatQuery`. Identifiers may be; a value is refused.
 *
 * @throws StatementRefusedError
 */
export function assertNoValuePrinted(sql: string, parameters: readonly unknown[]): void {
  if (parameters.length === 0 || !sql.match(MARKS)?.includes('?')) return;
  throw new StatementRefusedError('SQL with values in this place', 'printed');
}

/** {@link bindStatement} for what MikroORM hands to a connection: text, a raw fragment or a query builder, and its parameters. */
export function bindQuery(
  platform: Platform,
  style: BindingStyle,
  config: Configuration,
  query: string | NativeQueryBuilder | RawQueryFragment,
  parameters: readonly unknown[] | Dictionary,
): BoundStatement {
  let statement = typeof query === 'string' ? query : isRaw(query) ? query : query.toRaw();
  if (typeof statement === 'string' && !Array.isArray(parameters)) statement = raw(statement, parameters as Dictionary);
  const sql = typeof statement === 'string' ? statement : statement.sql;
  const given = typeof statement === 'string' ? (parameters as readonly unknown[]) : statement.params;
  return bindStatement(platform, style, config.get('onQuery')(sql, given), given);
}

/** A plain object, or a list that the ORM has marked as the value of a JSON column. */
function isJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (JsonProperty in value) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
