import { MariaDbPlatform } from '@mikro-orm/mariadb';
import { parseJsonColumn } from '../json.js';
import { assertNoValuePrinted } from './bound-statement.js';
import { CheckedEnumsSchemaHelper } from './mariadb-schema-helper.js';

/**
 * Integers are as wide as JavaScript's, as they are in SQLite, and texts as long as they may be. A JSON value is a text: MySQL's own
 * type sorts keys, and an export would not give back what came in. Enums are texts with a CHECK, which can be changed like any other.
 */
export class TextualMariaDbPlatform extends MariaDbPlatform {
  override readonly schemaHelper = new CheckedEnumsSchemaHelper(this);

  override getIntegerTypeDeclarationSQL(): string {
    return 'bigint';
  }

  override getTextTypeDeclarationSQL(): string {
    return 'longtext';
  }

  override getJsonDeclarationSQL(): string {
    return 'longtext';
  }

  override getUuidTypeDeclarationSQL(): string {
    return 'char(36)';
  }

  override formatQuery(sql: string, parameters: readonly unknown[]): string {
    assertNoValuePrinted(sql, parameters);
    return super.formatQuery(sql, parameters);
  }

  override convertJsonToJSValue(value: unknown): unknown {
    return parseJsonColumn(value);
  }

  override getEnumTypeDeclarationSQL(): string {
    return 'varchar(32)';
  }

  override usesEnumCheckConstraints(): boolean {
    return true;
  }

  /** `2026-01-02 03:04:05.678`, in UTC: written so, a year below 100 would be taken for one of the last century. */
  override parseDate(value: string): Date {
    return new Date(value.replace(' ', 'T').replace(/Z?$/, 'Z'));
  }
}
