import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type AnyRow, TenantRows } from './tenant-rows.js';

/** What names a row in every database that holds it: the values of its natural key, or its id where it has none. */
export type NaturalKey = readonly unknown[] | { readonly id: string };

/** Finds the natural keys of a tenant's rows. A reference within a natural key stands as the natural key of the row that it names. */
export class NaturalKeys {
  readonly #em: SqlEntityManager;
  readonly #tenantId: string;

  constructor(em: SqlEntityManager, tenantId: string) {
    this.#em = em;
    this.#tenantId = tenantId;
  }

  /** Replaces the references of rows of one entity: for each property that is one, the natural keys by id. */
  async ofReferences(
    references: ReadonlyMap<string, EntityClass<object>>,
    rows: readonly AnyRow[],
  ): Promise<Map<string, ReadonlyMap<string, NaturalKey>>> {
    const found = new Map<string, ReadonlyMap<string, NaturalKey>>();
    for (const [property, entity] of references) {
      const ids = new Set(rows.flatMap((row) => (row[property] as string | null) ?? []));
      found.set(property, await this.#ofIds(entity, [...ids]));
    }
    return found;
  }

  async #ofIds(entity: EntityClass<object>, ids: readonly string[]): Promise<Map<string, NaturalKey>> {
    if (ids.length === 0) return new Map();
    const stored = new TenantRows(this.#em, entity, this.#tenantId);
    const { naturalKey, references } = stored.table;
    const rows = await stored.readKeysByIds(ids);
    const within = new Map([...references].filter(([property]) => naturalKey.includes(property)));
    const keys = await this.ofReferences(within, rows);
    return new Map(
      rows.map((row) => {
        const values = naturalKey.map((property) => keys.get(property)?.get(row[property] as string) ?? row[property]);
        return [row.id, hasNaturalKey(naturalKey, row) ? values : { id: row.id }];
      }),
    );
  }
}

/** A unique key says nothing about a row in which a part of it is null. */
export function hasNaturalKey(naturalKey: readonly string[], row: AnyRow): boolean {
  return naturalKey.length > 0 && naturalKey.every((property) => row[property] !== null);
}
