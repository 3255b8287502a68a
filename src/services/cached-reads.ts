import type { EntityClass } from '@mikro-orm/core';
import { LoadTimeoutError } from '../cache/load-timeout-error.js';
import { copyOf } from '../cache/plain-data.js';
import type { Region } from '../cache/region.js';
import type { Address } from '../cache/shared-tier.js';
import { Message } from '../entities/message.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import { DatabaseTimeoutError, NotFoundError } from '../errors.js';
import type { CompiledTable, Row, RowKey } from '../repositories/compiled-table.js';
import { isId } from '../repositories/id.js';
import { history, type HistoryRequest } from '../repositories/message.repository.js';
import { byId, byKey } from '../repositories/read-plans.js';
import { historyAddress, keyAddress, rowAddress, rowKey } from './cache-keys.js';
import type { CachedRows, EntityCache } from './entity-cache.js';
import type { PlanCalls } from './plan-calls.js';

/**
 * Reads that the cache can answer. Inside a unit of work none does: what that has written is nobody else's business yet. Every caller
 * gets rows of his own.
 */
export class CachedReads {
  readonly #plans: PlanCalls;
  readonly #cache: EntityCache;

  constructor(plans: PlanCalls, cache: EntityCache) {
    this.#plans = plans;
    this.#cache = cache;
  }

  /** @throws NotFoundError when the tenant has no such row. */
  byId<Entity extends TenantOwned>(entity: EntityClass<Entity>, tenantId: string, id: string): Promise<Row<Entity>> {
    const cached = this.#cache.rowsOf(entity);
    const mayAnswer = cached !== undefined && !this.#plans.isInUnit && isId(id);
    // Most often memory knows it, and nothing has to be waited for.
    const hit = mayAnswer && this.#plans.isOpen ? cached.rows.peek(rowKey(tenantId, cached.kind, id)) : undefined;
    if (hit) return Promise.resolve(copyOf(hit));
    const table = this.#plans.tableOf(entity);
    const read = () => this.#plans.read(tenantId, () => byId(table, tenantId, id));
    // No promise around that of the database: it would take as long as an embedded one.
    if (!mayAnswer) return read();
    return this.#cachedById(table, cached, tenantId, id, read);
  }

  async #cachedById<Entity extends TenantOwned>(
    table: CompiledTable<Entity>,
    cached: CachedRows<Entity>,
    tenantId: string,
    id: string,
    read: () => Promise<Row<Entity>>,
  ): Promise<Row<Entity>> {
    this.#plans.assertOpen();
    try {
      const row = await cached.rows.getOrLoad(rowAddress(tenantId, cached.kind, id), () => ifAny(read()));
      if (row) return copyOf(row);
    } catch (error) {
      throw this.#told(error);
    }
    throw this.#plans.told(new NotFoundError(table.label, id));
  }

  /** The row that has a key of the caller's own. @throws NotFoundError when the tenant has no such row. */
  async byKey<Entity extends TenantOwned>(
    entity: EntityClass<Entity>,
    tenantId: string,
    key: RowKey<Entity>,
    value: string,
  ): Promise<Row<Entity>> {
    const table = this.#plans.tableOf(entity);
    const cached = this.#cache.rowsOf(entity);
    const read = () => this.#plans.read(tenantId, () => byKey(table, tenantId, key, value));
    if (!cached || this.#plans.isInUnit || typeof value !== 'string') return read();
    this.#plans.assertOpen();
    let loaded: { readonly row: Row<Entity> | undefined } | undefined;
    const load = async (): Promise<string | undefined> => {
      const row = await ifAny(read());
      loaded = { row };
      return (row as { readonly id: string } | undefined)?.id;
    };
    let id: string | undefined;
    try {
      id = await cached.ids.getOrLoad(keyAddress(tenantId, cached.kind, value), load);
    } catch (error) {
      throw this.#told(error);
    }
    if (loaded?.row) return loaded.row;
    if (loaded) throw this.#plans.told(new NotFoundError(table.label, value));
    const row = id === undefined ? undefined : await ifAny(this.byId(entity, tenantId, id));
    // The key may be another row's by now, or nobody's; and that it was nobody's, another's load may have found before it was given.
    return row && (row as Record<string, unknown>)[key] === value ? row : read();
  }

  /** @throws NotFoundError when the tenant has no such conversation. */
  history(tenantId: string, conversationId: string, request: HistoryRequest): Promise<Row<Message>[]> {
    const table = this.#plans.tableOf(Message);
    const read = () => this.#plans.read(tenantId, () => history(table, tenantId, conversationId, request));
    const cached = this.#cache.history;
    if (!cached || this.#plans.isInUnit || !isId(conversationId)) return read();
    const part = partOf(request);
    // What is wrong with a request, the read says.
    if (part === undefined) return read();
    return this.#cachedHistory(cached, historyAddress(tenantId, conversationId, part), read);
  }

  async #cachedHistory(
    cached: Region<readonly Row<Message>[]>,
    address: Address,
    read: () => Promise<Row<Message>[]>,
  ): Promise<Row<Message>[]> {
    this.#plans.assertOpen();
    try {
      const rows = await cached.getOrLoad(address, read);
      return copyOf(rows ?? []) as Row<Message>[];
    } catch (error) {
      throw this.#told(error);
    }
  }

  /** The time limit of a policy is one of the database's for whoever calls. */
  #told(error: unknown): unknown {
    return error instanceof LoadTimeoutError ? this.#plans.told(new DatabaseTimeoutError({ cause: error })) : error;
  }
}

/** A name for the part of a history that is asked for; undefined where that is none. */
function partOf(request: HistoryRequest): string | undefined {
  const entries = Object.entries(request ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0 || !entries.every(([, value]) => Number.isSafeInteger(value))) return undefined;
  return entries.map(([name, value]) => `${name}=${String(value)}`).join('&');
}

async function ifAny<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
