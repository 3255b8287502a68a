import type { Dictionary } from '@mikro-orm/core';
import { MariaDbSchemaHelper } from '@mikro-orm/mariadb';

type GetChecks = MariaDbSchemaHelper['getAllChecks'];
type GetEnums = MariaDbSchemaHelper['getAllEnumDefinitions'];

const ENUM_CHECK = /^`(\w+)` in \(([^()]*)\)$/;

/** Reads enums from CHECKs, where MikroORM's own expects columns of the type ENUM. */
export class CheckedEnumsSchemaHelper extends MariaDbSchemaHelper {
  /** The connection's character set is set once; `set names` would change its collation. */
  override getSchemaBeginning(): string {
    return '';
  }

  override async getAllChecks(...parameters: Parameters<GetChecks>): ReturnType<GetChecks> {
    const all = await super.getAllChecks(...parameters);
    for (const check of Object.values(all).flat()) {
      const [column, items] = itemsOf(check.expression);
      if (column === undefined) continue;
      check.columnName = column;
      // As the entities have it, with a space after each comma.
      check.expression = this.platform.getEnumCheckConstraintExpression(column, items);
      check.definition = `check (${check.expression})`;
    }
    return all;
  }

  override async getAllEnumDefinitions(...parameters: Parameters<GetEnums>): ReturnType<GetEnums> {
    const [connection, tables, transaction] = parameters;
    const all = await this.getAllChecks(connection, tables, transaction, {});
    return Object.fromEntries(
      Object.entries(all).map(([table, checks]) => {
        const columns: Dictionary<string[]> = {};
        for (const { expression } of checks) {
          const [column, items] = itemsOf(expression);
          if (column !== undefined) columns[column] = items;
        }
        return [table, columns];
      }),
    );
  }
}

/** The column of a check such as `role` in ('user','admin'), and the items that it allows. */
function itemsOf(expression: unknown): readonly [column: string | undefined, items: string[]] {
  const [, column, list = ''] = ENUM_CHECK.exec(String(expression)) ?? [];
  return [column, Array.from(list.matchAll(/'([^']*)'/g), ([, item = '']) => item)];
}
