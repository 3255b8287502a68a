import { SqlitePlatform, SqliteSchemaHelper } from '@mikro-orm/sqlite';
import { parseJsonColumn } from '../json.js';
import { assertNoValuePrinted } from './bound-statement.js';

type Load = Parameters<SqliteSchemaHelper['loadInformationSchema']>;
type Table = ReturnType<Load[0]['getTables']>[number];

/** A row of `pragma foreign_key_list`: one column of one foreign key. */
interface ForeignKeyColumn {
  readonly id: number;
  readonly seq: number;
  readonly table: string;
  readonly from: string;
  readonly to: string;
  readonly on_update: string;
  readonly on_delete: string;
}

/** MikroORM 7.2 reads each column of a composite foreign key as a key of its own, and so finds differences where there are none. */
class CompositeKeySchemaHelper extends SqliteSchemaHelper {
  override async loadInformationSchema(...parameters: Load): Promise<void> {
    await super.loadInformationSchema(...parameters);
    const [schema, connection, , , transaction] = parameters;
    for (const table of schema.getTables()) {
      const sql = 'select * from pragma_foreign_key_list(?) order by id, seq';
      const columns = await connection.execute<ForeignKeyColumn[]>(sql, [table.name], 'all', transaction);
      table.setForeignKeys(this.#group(table, columns));
    }
  }

  #group(table: Table, columns: readonly ForeignKeyColumn[]): ReturnType<Table['getForeignKeys']> {
    const keys = [...Map.groupBy(columns, ({ id }) => id).values()].map((parts) => {
      const columnNames = parts.map(({ from }) => from);
      return {
        constraintName: this.platform.getIndexName(table.name, columnNames, 'foreign'),
        columnNames,
        localTableName: table.name,
        referencedTableName: parts[0]?.table ?? '',
        referencedColumnNames: parts.map(({ to }) => to),
        updateRule: parts[0]?.on_update.toLowerCase() ?? '',
        deleteRule: parts[0]?.on_delete.toLowerCase() ?? '',
      };
    });
    return Object.fromEntries(keys.map((key) => [key.constraintName, key]));
  }
}

export class BoundSqlitePlatform extends SqlitePlatform {
  protected override readonly schemaHelper: SqliteSchemaHelper = new CompositeKeySchemaHelper(this);

  override formatQuery(sql: string, parameters: readonly unknown[]): string {
    assertNoValuePrinted(sql, parameters);
    return super.formatQuery(sql, parameters);
  }

  override convertJsonToJSValue(value: unknown): unknown {
    return parseJsonColumn(value);
  }
}
