import { isStorable } from '../entities/rules.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import type { Row } from './compiled-table.js';
import { byKey } from './read-plans.js';
import { runPlanIn, runStatement } from './statement.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

/** A repository of rows that carry the caller's own key, unique within the tenant. */
export abstract class ExternallyKeyedRepository<
  Entity extends TenantOwned & { externalId: string | null },
> extends TenantOwnedRepository<Entity> {
  /** @throws NotFoundError when the tenant has no such row. */
  async readByExternalId(externalId: string): Promise<Row<Entity>> {
    return runPlanIn(this.em, () => byKey(this.table, this.tenantId, 'externalId', externalId));
  }

  /** The ids of those keys that exist; at most a few hundred keys at a time. */
  async readIdsByExternalId(externalIds: readonly string[]): Promise<Map<string, string>> {
    const keys = externalIds.filter(isStorable);
    if (keys.length === 0) return new Map();
    const [id, key, tenant] = (['id', 'externalId', 'tenantId'] as const).map((name) => this.table.column(name));
    const sql = `select ${id} as id, ${key} as external_id from ${this.table.name} where ${tenant} = ? and ${key} in (?)`;
    const rows = await runStatement<{ id: string; external_id: string }>(this.em, sql, [this.tenantId, keys]);
    return new Map(rows.map((row) => [row.external_id, row.id]));
  }
}
