import {
  type Configuration,
  JsonType,
  ReferenceKind,
  Utils,
  type EntityClass,
  type EntityManager,
  type EntityMetadata,
  type EntityProperty,
  type HiddenProps,
  type Platform,
  type Ref,
} from '@mikro-orm/core';
import type { BulkInsert } from '../database/engine.js';
import { FixedStatement, type RawRow } from '../database/plan.js';
import { labelOf } from './label.js';
import { repeatedJson } from './repeated-json.js';
import { type Converted, type MakeRow, propertyOf, rowMaker, RowStatement } from './row-statement.js';

type Reference = { unwrap(): unknown };
type IsReference<T> = NonNullable<T> extends Reference ? true : false;

type Shown<Entity> = Exclude<
  Extract<keyof Entity, string>,
  Entity extends { [HiddenProps]?: infer Hidden } ? Hidden : never
>;

/**
 * An entity as plain data, as the services give it out: scalars under their own names, a reference `user` as `userId`, and nothing
 * that follows from the rest. Derived from the entity, so there is no second description of it.
 */
export type Row<Entity> = {
  readonly [Key in Shown<Entity> as IsReference<Entity[Key]> extends true ? `${Key}Id` : Key]: IsReference<
    Entity[Key]
  > extends true
    ? null extends Entity[Key]
      ? string | null
      : string
    : Entity[Key];
};

/** A property of a row that it is looked up by. */
export type RowKey<Entity> = (keyof Row<Entity> & string) | 'id' | 'tenantId' | 'externalId';

interface Column {
  /** The property of the row. */
  readonly key: string;
  readonly name: string;
  /** As a table's definition has it, such as `varchar(255)`. */
  readonly type: string;
  /** Whether its values have no small limit. */
  readonly isWide: boolean;
  /** What makes the value of a row's others; it is no part of a row then. */
  readonly derive: ((row: object) => unknown) | undefined;
  readonly isInstant: boolean;
  /** Undefined where the value stays as it is, as below. */
  readonly toDatabase: ((value: unknown) => unknown) | undefined;
  readonly fromDatabase: ((value: unknown) => unknown) | undefined;
}

/** By the ORM that they belong to. Its own registry of extensions takes a tenth of a microsecond longer, as long as a Date. */
const tablesOf = new WeakMap<Configuration, Map<EntityClass<object>, CompiledTable<object>>>();

/**
 * The SQL and the mapping of one entity's table, made once from the ORM's metadata, for the statements that run beside the unit of
 * work. `?` stands for a value on every engine.
 */
export class CompiledTable<Entity extends object> {
  readonly name: string;
  /** What people call the entity. */
  readonly label: string;
  /** Selects the columns of a row under the names of its properties. */
  readonly columns: string;
  readonly insert: FixedStatement;
  /** What many rows at once are inserted by. */
  readonly bulk: BulkInsert;
  /** The properties of a row, in the order of the columns. */
  readonly keys: readonly string[];
  /** The properties that {@link insert} takes the values of, in their order. */
  readonly columnKeys: readonly string[];
  /** The properties that tell a row from the tenant's others, its id aside: those of a unique key; none where there is none. */
  readonly naturalKey: readonly string[];
  /** The entity whose row a property names by its id; the tenant's is not among them. */
  readonly references: ReadonlyMap<string, EntityClass<object>>;
  /** Columns, quoted, whose values have no small limit. */
  readonly wideColumns: readonly string[];
  readonly #columns: readonly Column[];
  /** Those that a row has. */
  readonly #shown: readonly Column[];
  readonly #quoted: ReadonlyMap<string, string>;
  readonly #converted: readonly Converted[];
  readonly #make: MakeRow;
  readonly #values: (row: object) => unknown[];
  readonly #quote: (name: string) => string;
  readonly #statements = new Map<string, FixedStatement>();
  readonly #readings = new Map<string, RowStatement<Row<Entity>>>();

  constructor(metadata: EntityMetadata<Entity>, platform: Platform) {
    this.#columns = metadata.props.map((property) => columnOf(property, platform));
    this.#shown = this.#columns.filter(({ derive }) => derive === undefined);
    this.#quoted = new Map(this.#shown.map(({ key, name }) => [key, platform.quoteIdentifier(name)]));
    this.#quote = (name) => platform.quoteIdentifier(name);
    this.name = platform.quoteIdentifier(metadata.tableName);
    this.label = labelOf(metadata.className);
    this.columns = this.selected(this.#shown.map(({ key }) => key));
    this.#converted = this.#shown.flatMap(({ key, fromDatabase }) => (fromDatabase ? { key, fromDatabase } : []));
    this.#make = rowMaker([], this.#converted);
    this.#values = valuesOf(this.#columns);
    const columns = this.#columns.map(({ name }) => platform.quoteIdentifier(name)).join(', ');
    const statement = `insert into ${this.name} (${columns}) values (${this.#columns.map(() => '?').join(', ')})`;
    this.insert = new FixedStatement(statement);
    const columnTypes = this.#columns.map(({ type }) => type);
    this.bulk = { statement, table: this.name, columns, columnTypes };
    this.keys = this.#shown.map(({ key }) => key);
    this.columnKeys = this.#columns.map(({ key }) => key);
    this.naturalKey = naturalKeyOf(metadata);
    const references = metadata.relations.filter(({ primary, targetMeta }) => !primary && targetMeta);
    this.references = new Map(references.map((property) => [keyOf(property), property.targetMeta?.class as never]));
    const wide = this.#columns.filter(({ isWide }) => isWide);
    this.wideColumns = wide.map(({ name }) => platform.quoteIdentifier(name));
  }

  /** The quoted column of a row's property. */
  column(key: RowKey<Entity>): string {
    const column = this.#quoted.get(key);
    if (column === undefined) throw new TypeError(`${this.name} has no column for ${key}`);
    return column;
  }

  /** A statement that is made once, and from then on known by its name. */
  statement(name: string, make: () => string): FixedStatement {
    let statement = this.#statements.get(name);
    if (!statement) this.#statements.set(name, (statement = new FixedStatement(make())));
    return statement;
  }

  /** {@link columns} of some properties alone. */
  selected(keys: readonly string[]): string {
    return keys.map((key) => `${this.#quoted.get(key) ?? ''} as ${this.#quote(key)}`).join(', ');
  }

  /**
   * A statement that selects those of the tenant's rows that have given properties; it is made once, and from then on known by its name.
   * Its values are the tenant's id, those of the properties, and those of `rest`, which follows the condition.
   */
  reading(name: string, given: readonly RowKey<Entity>[], rest: () => string): RowStatement<Row<Entity>> {
    let reading = this.#readings.get(name);
    if (!reading) this.#readings.set(name, (reading = this.#makeReading(given, rest())));
    return reading;
  }

  #makeReading(given: readonly RowKey<Entity>[], rest: string): RowStatement<Row<Entity>> {
    const known = ['tenantId', ...given];
    const columns = this.keys.map((key) =>
      known.includes(key) ? `null as ${this.#quote(key)}` : this.selected([key]),
    );
    const own = given.map((key) => ` and ${this.column(key)} = ?`).join('');
    const sql = `select ${columns.join(', ')} from ${this.name} where ${this.column('tenantId')} = ?${own} ${rest}`;
    return new RowStatement(sql, known, this.#converted);
  }

  /** The values of {@link insert}. */
  values(row: Row<Entity>): unknown[] {
    return this.#values(row);
  }

  /** What {@link columns} select as a row of ours: the same object, whose instants and JSON are made of what the driver gave. */
  toRow(raw: RawRow): Row<Entity> {
    return this.#make(raw, []) as Row<Entity>;
  }

  /** What of a row was kept as JSON, which has its instants as texts. What is not there is left out. */
  fromJson(json: Readonly<Record<string, unknown>>): Partial<Row<Entity>> {
    const there = this.#shown.filter(({ key }) => json[key] !== undefined);
    const entries = there.map(({ key, isInstant }): [string, unknown] => {
      const value = json[key];
      return [key, isInstant && typeof value === 'string' ? new Date(value) : value];
    });
    return Object.fromEntries(entries) as Partial<Row<Entity>>;
  }

  /** A managed entity as a row: a copy that later changes of the entity do not reach. */
  fromEntity(entity: Entity): Row<Entity> {
    const row: Record<string, unknown> = {};
    for (const { key } of this.#shown) {
      const own = (entity as Record<string, unknown>)[key];
      if (own !== undefined) row[key] = typeof own === 'object' ? structuredClone(own) : own;
      else row[key] = idOf((entity as Record<string, unknown>)[key.replace(/Id$/, '')]);
    }
    return row as Row<Entity>;
  }
}

/** Makes a function that lists the values of a row's columns. Its code names each property; see {@link rowMaker}. */
function valuesOf(columns: readonly Column[]): (row: object) => unknown[] {
  const context = new Map<string, unknown>();
  const values = columns.map(({ key, derive, toDatabase }, index) => {
    const [from, to] = [`derive${String(index)}`, `to${String(index)}`];
    if (derive) context.set(from, derive);
    if (toDatabase)
      context.set(to, (value: unknown) => (value === null || value === undefined ? null : toDatabase(value)));
    const value = derive ? `${from}(row)` : propertyOf('row', key);
    return toDatabase ? `${to}(${value})` : `${value} ?? null`;
  });
  return Utils.createFunction(context, `return (row) => [${values.join(', ')}];`) as (row: object) => unknown[];
}

function columnOf(property: EntityProperty, platform: Platform): Column {
  // A reference's columns are (tenant_id, <its own>); the tenant's stands for itself.
  const name = property.fieldNames.at(-1) ?? property.name;
  const type = property.columnTypes.at(-1) ?? 'text';
  const key = keyOf(property);
  const { customType } = property;
  const isWide = property.type === 'text' || customType instanceof JsonType;
  const isInstant = property.runtimeType === 'Date';
  const derive = property.hidden ? (property.onCreate as Column['derive']) : undefined;
  const column = { key, name, type, isWide, isInstant, derive };
  if (customType instanceof JsonType && !platform.convertsJsonAutomatically()) {
    return {
      ...column,
      toDatabase: (value) => customType.convertToDatabaseValue(value, platform),
      fromDatabase: repeatedJson((value) => platform.convertJsonToJSValue(value)),
    };
  }
  if (customType) {
    return {
      ...column,
      toDatabase: (value) => customType.convertToDatabaseValue(value, platform),
      fromDatabase: (value) => customType.convertToJSValue(value, platform),
    };
  }
  if (isInstant) {
    return {
      ...column,
      toDatabase: (value) => platform.processDateProperty(value),
      fromDatabase(value) {
        if (typeof value === 'number') return new Date(value);
        return value instanceof Date ? value : platform.parseDate(value as string);
      },
    };
  }
  return { ...column, toDatabase: undefined, fromDatabase: undefined };
}

/** The property of a row that stands for an entity's. */
function keyOf({ kind, name }: Pick<EntityProperty, 'kind' | 'name'>): string {
  return kind === ReferenceKind.MANY_TO_ONE ? `${name}Id` : name;
}

/** The properties of a unique key, of one that allows no null where there is such; the tenant tells no row from its others. */
function naturalKeyOf({ uniques, props }: EntityMetadata): string[] {
  const keys = [
    ...props.filter(({ unique }) => unique).map((property) => [property]),
    ...uniques
      .filter(({ where }) => where === undefined)
      .map(({ properties }) => props.filter(({ name }) => [properties].flat().map(String).includes(name))),
  ];
  const key = keys.find((properties) => properties.every(({ nullable }) => !nullable)) ?? keys[0] ?? [];
  return key.filter(({ primary }) => !primary).map(keyOf);
}

function idOf(reference: unknown): string | null {
  if (reference === null || reference === undefined) return null;
  return (reference as Ref<{ id: string }>).unwrap().id;
}

/** The compiled table of an entity, kept with the ORM that the entity manager belongs to. */
export function compiledTableOf<Entity extends object>(
  em: EntityManager,
  entity: EntityClass<Entity>,
): CompiledTable<Entity> {
  let tables = tablesOf.get(em.config);
  if (!tables) tablesOf.set(em.config, (tables = new Map()));
  let table = tables.get(entity) as CompiledTable<Entity> | undefined;
  if (!table) {
    table = new CompiledTable(em.getMetadata().get<Entity>(entity), em.getPlatform());
    tables.set(entity, table);
  }
  return table;
}
