import { Utils } from '@mikro-orm/core';
import { FixedStatement, type RawRow } from '../database/plan.js';

/** A property of a row that is not what the driver gave. */
export interface Converted {
  readonly key: string;
  readonly fromDatabase: (value: unknown) => unknown;
}

/**
 * A statement that selects rows of a table. The properties that its first values give come as null, and have those values then: to read a
 * text from the database costs more than all else of a property.
 */
export class RowStatement<Row> extends FixedStatement {
  readonly #make: MakeRow;

  /** @param given The properties that the statement's first values are. */
  constructor(sql: string, given: readonly string[], converted: readonly Converted[]) {
    super(sql);
    const rest = converted.filter(({ key }) => !given.includes(key));
    this.#make = rowMaker(given, rest);
  }

  /** Makes a row of ours of what the driver gave, and of the statement's values: the same object. */
  toRow(raw: RawRow, values: readonly unknown[]): Row {
    return this.#make(raw, values) as Row;
  }
}

/** Makes a row of ours of what the driver gave, and of values: the same object. */
export type MakeRow = (raw: RawRow, values: readonly unknown[]) => RawRow;

/**
 * Makes a function that gives a row the properties that the first values are, and makes instants and JSON of what the driver gave for
 * them. Its code names each property, as that of MikroORM's hydrators does, and of the driver's rows: a loop over names takes as long as
 * a tenth of reading the rows.
 */
export function rowMaker(given: readonly string[], converted: readonly Converted[]): MakeRow {
  const context = new Map(converted.map(({ fromDatabase }, index) => [`from${String(index)}`, fromDatabase]));
  const lines = given.map((key, index) => `${propertyOf('raw', key)} = values[${String(index)}];`);
  for (const [index, { key }] of converted.entries()) {
    const property = propertyOf('raw', key);
    lines.push(`if (${property} != null) ${property} = from${String(index)}(${property});`);
  }
  return Utils.createFunction(context, `return (raw, values) => { ${lines.join(' ')} return raw; };`) as MakeRow;
}

/** The code for a property of an object. */
export function propertyOf(object: string, key: string): string {
  return `${object}[${JSON.stringify(key)}]`;
}
