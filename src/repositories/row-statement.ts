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
  readonly #given: readonly string[];
  readonly #converted: readonly Converted[];

  /** @param given The properties that the statement's first values are. */
  constructor(sql: string, given: readonly string[], converted: readonly Converted[]) {
    super(sql);
    this.#given = given;
    this.#converted = converted.filter(({ key }) => !given.includes(key));
  }

  /** Makes a row of ours of what the driver gave, and of the statement's values: the same object. */
  toRow(raw: RawRow, values: readonly unknown[]): Row {
    const given = this.#given;
    for (let index = 0; index < given.length; index += 1) raw[given[index] as string] = values[index];
    return convert(raw, this.#converted) as Row;
  }
}

/** Makes instants and JSON of what the driver gave for them. */
export function convert(raw: RawRow, converted: readonly Converted[]): RawRow {
  for (let index = 0; index < converted.length; index += 1) {
    const { key, fromDatabase } = converted[index] as Converted;
    const value = raw[key];
    if (value !== null && value !== undefined) raw[key] = fromDatabase(value);
  }
  return raw;
}
