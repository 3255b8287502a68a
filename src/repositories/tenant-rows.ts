import { setImmediate as turnOfTheEventLoop } from 'node:timers/promises';
import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type CompiledTable, compiledTableOf } from './compiled-table.js';
import { insertRows } from './insert-rows.js';
import { runStatement } from './statement.js';

/** A row of any entity: its id, and its other properties by name. */
export interface AnyRow {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** At most so many rows are in a page ... */
const PAGE_ROWS = 1_000;
/** ... and, unless one row alone is larger, so many bytes in its wide columns. */
const PAGE_BYTES = 4_000_000;
/** Lies before every id, in every engine's order. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** A tenant's rows of one table, the tenant's own row among them, for work that treats all entities alike. */
export class TenantRows {
  readonly entity: EntityClass<object>;
  readonly table: CompiledTable<object>;
  /** The table's name as it is, without quotes. */
  readonly tableName: string;
  readonly #em: SqlEntityManager;
  readonly #tenantId: string;
  readonly #id: string;
  readonly #isTenants: string;

  constructor(em: SqlEntityManager, entity: EntityClass<object>, tenantId: string) {
    this.table = compiledTableOf(em, entity);
    this.entity = entity;
    this.tableName = em.getMetadata().get(entity).tableName;
    this.#em = em;
    this.#tenantId = tenantId;
    this.#id = this.table.column('id');
    this.#isTenants = `${this.table.keys.includes('tenantId') ? this.table.column('tenantId') : this.#id} = ?`;
  }

  /** All rows in the order of their ids, a page of bounded size at a time. */
  async *pages(): AsyncGenerator<AnyRow[]> {
    const where = `${this.#isTenants} and ${this.#id} > ? and ${this.#id} <= ? order by ${this.#id}`;
    let after = BEFORE_ALL;
    for (;;) {
      const last = await this.#endOfPage(after);
      if (last === undefined) return;
      yield await this.#read(where, [after, last]);
      after = last;
      // An embedded database answers at once: without a break, signals, timers and other callers would wait for the last page.
      await turnOfTheEventLoop();
    }
  }

  /** Those rows of the ids that there are; as many as a page has at a time. */
  async readByIds(ids: readonly string[]): Promise<Map<string, AnyRow>> {
    const rows = await this.#read(`${this.#isTenants} and ${this.#id} in (?)`, [ids]);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** {@link readByIds} of the ids and the natural keys alone. */
  async readKeysByIds(ids: readonly string[]): Promise<AnyRow[]> {
    const columns = this.table.selected(['id', ...this.table.naturalKey]);
    return this.#read(`${this.#isTenants} and ${this.#id} in (?)`, [ids], columns);
  }

  /** Inserts rows within the running transaction. */
  async insert(rows: readonly AnyRow[]): Promise<void> {
    await insertRows(this.#em, this.entity, rows);
  }

  /** The id of the last row of the page that begins after an id. Rows are measured first: a thousand may be anything up to gigabytes. */
  async #endOfPage(after: string): Promise<string | undefined> {
    const { wideColumns, name } = this.table;
    const size = wideColumns.length === 0 ? '0' : `octet_length(concat_ws('', ${wideColumns.join(', ')}))`;
    const sql = `select ${this.#id} as id, ${size} as size from ${name} where ${this.#isTenants} and ${this.#id} > ? order by ${this.#id} limit ?`;
    const rows = await runStatement<{ id: string; size: number | string | null }>(this.#em, sql, [
      this.#tenantId,
      after,
      PAGE_ROWS,
    ]);
    let [bytes, last] = [0, rows[0]?.id];
    for (const { id, size: rowBytes } of rows) {
      // A server that will not measure it has a row larger than it would send.
      bytes += Number(rowBytes ?? PAGE_BYTES);
      if (bytes > PAGE_BYTES) break;
      last = id;
    }
    return last;
  }

  async #read(where: string, values: readonly unknown[], columns = this.table.columns): Promise<AnyRow[]> {
    const sql = `select ${columns} from ${this.table.name} where ${where}`;
    const rows = await runStatement<Record<string, unknown>>(this.#em, sql, [this.#tenantId, ...values]);
    return rows.map((row) => this.table.toRow(row) as AnyRow);
  }
}
