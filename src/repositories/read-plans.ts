import type { FixedStatement, Plan } from '../database/plan.js';
import { isStorable } from '../entities/rules.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import { NotFoundError } from '../errors.js';
import type { CompiledTable, Row } from './compiled-table.js';
import { isId } from './id.js';
import { type Page, type PageRequest, resolvePage, toPage } from './page.js';

/** A property of a row that a value is looked up by. */
export type Key<Entity> = (keyof Row<Entity> & string) | 'id' | 'externalId';

/** @throws NotFoundError when the tenant has no such row. */
export function* byId<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  id: string,
): Plan<Row<Entity>> {
  if (!isId(id)) throw new NotFoundError(table.label, id);
  const [raw] = yield { statement: firstWhere(table, 'id'), values: [tenantId, id], isOne: true };
  if (!raw) throw new NotFoundError(table.label, id);
  return table.toRow(raw);
}

/** The row that has a key of the caller's own. @throws NotFoundError when the tenant has no such row. */
export function* byKey<Entity extends TenantOwned>(
  table: CompiledTable<Entity>,
  tenantId: string,
  key: Key<Entity>,
  value: string,
): Plan<Row<Entity>> {
  if (!isStorable(value)) throw new NotFoundError(table.label, value);
  const [raw] = yield { statement: firstWhere(table, key), values: [tenantId, value], isOne: true };
  if (!raw) throw new NotFoundError(table.label, value);
  return table.toRow(raw);
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
  if (!isId(id)) return toPage([], resolvePage(request).limit);
  return yield* pageWhere(table, request, 'desc', [tenantId, id], reference);
}

function firstWhere<Entity extends TenantOwned>(table: CompiledTable<Entity>, key: Key<Entity>): FixedStatement {
  return table.statement(key, () => table.selectWhere(`${table.column(key)} = ? limit 1`));
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
  const statement = table.statement(name, () => {
    const id = table.column('id');
    const conditions = [
      ...(reference === undefined ? [] : [`${table.column(reference)} = ?`]),
      ...(after === undefined ? [] : [`${id} ${direction === 'asc' ? '>' : '<'} ?`]),
    ];
    return table.selectWhere(`${conditions.join(' and ')} order by ${id} ${direction} limit ?`);
  });
  const values = after === undefined ? [...given, limit + 1] : [...given, after, limit + 1];
  const raws = yield { statement, values };
  return toPage(
    raws.map((raw) => table.toRow(raw)),
    limit,
  );
}
