import type { Plan } from '../database/plan.js';
import { isStorable } from '../entities/rules.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import { NotFoundError } from '../errors.js';
import type { CompiledTable, Row, RowKey } from './compiled-table.js';
import { isId } from './id.js';
import { type Page, type PageRequest, resolvePage, toPage } from './page.js';

/** @throws NotFoundError when the tenant has no such row. */
export function byId<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  id: string,
): Plan<Row<Entity>> {
  if (!isId(id)) throw new NotFoundError(table.label, id);
  return first(table, tenantId, 'id', id);
}

/** The row that has a key of the caller's own. @throws NotFoundError when the tenant has no such row. */
export function byKey<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  key: RowKey<Entity>,
  value: string,
): Plan<Row<Entity>> {
  if (!isStorable(value)) throw new NotFoundError(table.label, value);
  return first(table, tenantId, key, value);
}

/** How many rows {@link byIds} reads at most. */
export const ROWS_AT_ONCE = 100;

/** The rows that have one of so many ids, in no order; what the tenant does not have is left out. */
export function* byIds<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  ids: readonly string[],
): Plan<Row<Entity>[]> {
  const [any] = ids;
  if (any === undefined) return [];
  // One statement for any number of ids.
  const statement = table.reading('ids', [], () => {
    return `and ${table.column('id')} in (${Array.from({ length: ROWS_AT_ONCE }, () => '?').join(', ')})`;
  });
  const values = [tenantId, ...ids, ...Array.from({ length: ROWS_AT_ONCE - ids.length }, () => any)];
  const raws = yield { statement, values, mostRows: ROWS_AT_ONCE };
  return raws.map((raw) => statement.toRow(raw, values));
}

/** The ids of the rows that were made last, the newest first. */
export function* newestIds<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  limit: number,
): Plan<string[]> {
  const statement = table.statement('newest ids', () => {
    const id = table.column('id');
    return `select ${table.selected(['id'])} from ${table.name} where ${table.column('tenantId')} = ? order by ${id} desc limit ?`;
  });
  const raws = yield { statement, values: [tenantId, limit], mostRows: limit };
  return raws.map(({ id }) => id as string);
}

/** Rows in the order of their ids, which is the order in which they were made: the oldest first. */
export function* page<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  request: PageRequest = {},
): Plan<Page<Row<Entity>>> {
  return yield* pageWhere(table, request, 'asc', [tenantId]);
}

/** A page of the rows that refer to `id`, the newest first; empty for what is no id. */
export function* pageOf<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  reference: keyof Row<Entity> & string,
  id: string,
  request: PageRequest = {},
): Plan<Page<Row<Entity>>> {
  if (!isId(id)) {
    resolvePage(request);
    return { items: [], next: null };
  }
  return yield* pageWhere(table, request, 'desc', [tenantId, id], reference);
}

function* first<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  key: RowKey<Entity>,
  value: string,
): Plan<Row<Entity>> {
  const statement = table.reading(key, [key], () => 'limit 1');
  const values = [tenantId, value];
  const raws = yield { statement, values, isOne: true };
  const raw = raws[0];
  if (!raw) throw new NotFoundError(table.label, value);
  return statement.toRow(raw, values);
}

function* pageWhere<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  request: PageRequest,
  direction: 'asc' | 'desc',
  given: readonly string[],
  reference?: keyof Row<Entity> & string,
): Plan<Page<Row<Entity>>> {
  const { after, limit } = resolvePage(request);
  const name = `${direction}${reference ?? ''}${after === undefined ? '' : 'after'}`;
  const statement = table.reading(name, reference === undefined ? [] : [reference], () => {
    const id = table.column('id');
    const isAfter = after === undefined ? '' : `and ${id} ${direction === 'asc' ? '>' : '<'} ?`;
    return `${isAfter} order by ${id} ${direction} limit ?`;
  });
  const values = after === undefined ? [...given, limit + 1] : [...given, after, limit + 1];
  const raws = yield { statement, values, mostRows: limit + 1 };
  return toPage(raws, limit, (raw) => statement.toRow(raw, values));
}
