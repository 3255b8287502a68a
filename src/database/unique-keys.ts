import type { MetadataStorage, Platform } from '@mikro-orm/core';

/** The columns of every unique key by the name of its constraint, without the tenant's: that one is not news. */
export type UniqueKeys = ReadonlyMap<string, readonly string[]>;

/** What the ORM knows of unique keys, for a database that names a broken one and not its columns. */
export function uniqueKeysOf(storage: MetadataStorage, platform: Platform): UniqueKeys {
  const keys = new Map<string, readonly string[]>();
  for (const { tableName, properties, uniques, primaryKeys, props } of storage.getAll().values()) {
    if (!tableName) continue;
    const add = (name: string | undefined, names: readonly string[], type: 'unique' | 'primary'): void => {
      const columns = [...new Set(names.flatMap((property) => properties[property]?.fieldNames ?? []))];
      const known = columns.filter((column) => column !== 'tenant_id').map((column) => `${tableName}.${column}`);
      keys.set(name ?? platform.getIndexName(tableName, columns, type), known);
    };
    add(undefined, primaryKeys, 'primary');
    for (const unique of uniques) add(unique.name, [unique.properties].flat() as string[], 'unique');
    for (const { name, unique } of props)
      if (unique) add(typeof unique === 'string' ? unique : undefined, [name], 'unique');
  }
  return keys;
}
