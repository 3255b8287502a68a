import { isRaw, JsonProperty, type Platform } from '@mikro-orm/core';

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
    return text.replace(/\\\?|\?\??/g, (mark) => {
      if (mark === '\\?') return '?';
      const value = given[next++];
      return mark === '??' ? platform.quoteIdentifier(value as string) : bind(value);
    });
  };

  return parameters.length === 0 ? { text: sql, values } : { text: render(sql, parameters), values };
}

/** A plain object, or a list that the ORM has marked as the value of a JSON column. */
function isJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (JsonProperty in value) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
