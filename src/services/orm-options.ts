import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import type { MetadataStorage, Options } from '@mikro-orm/core';
import { SeedManager } from '@mikro-orm/seeder';
import { NotFoundError } from '../errors.js';
import type { Engine } from '../database/engine.js';
import { MIGRATIONS_TABLE } from '../database/migration-storage.js';
import { Migrator } from '../database/migrator.js';
import { entities } from '../entities/index.js';
import { DocumentTermsSubscriber } from './document-terms-subscriber.js';
import { ResultCache, type ResultStore } from './result-cache.js';
import { TenantEntityManager } from './tenant-entity-manager.js';

/** MikroORM's configuration for an engine; the persistence manager and the MikroORM command line share it. */
export function createOrmOptions(engine: Engine, store?: () => ResultStore | undefined): Partial<Options> {
  const { migrations, ...options } = engine.options;
  return {
    ...options,
    baseDir: fileURLToPath(new URL('../../', import.meta.url)),
    entities: [...entities],
    extensions: [Migrator, SeedManager],
    entityManager: TenantEntityManager,
    ...(store && { resultCache: { adapter: ResultCache, options: { store } } }),
    subscribers: [new DocumentTermsSubscriber()],
    // Batched updates of one type lose the check of `version`: two concurrent flushes would both succeed.
    useBatchUpdates: false,
    // A replica may lag behind; who can bear that asks for it by the query.
    preferReadReplicas: false,
    // Otherwise filters of a parent add joins, and FOR UPDATE then locks the parent too.
    autoJoinRefsForFilters: false,
    // The rules of the entities do it, and name every broken one at once.
    validateRequired: false,
    discovery: {
      ...options.discovery,
      afterDiscovered(storage, platform) {
        leaveKindsToRules(storage);
        return options.discovery?.afterDiscovered?.(storage, platform);
      },
    },
    findOneOrFailHandler: notFound,
    findExactlyOneOrFailHandler: notFound,
    forceUtcTimezone: true,
    // The index of search, and counters, are made by migrations, and no entity describes them.
    schemaGenerator: {
      skipTables: [/^document_terms/, /^quota_months$/],
      skipViews: [/^document_terms/],
      ignoreRoutines: true,
    },
    migrations: {
      ...migrations,
      tableName: MIGRATIONS_TABLE,
      migrationsList: [...engine.migrations],
      emit: 'ts',
      fileName: (_timestamp, name) => `${nextNumber(engine)}-${name ?? 'change'}`,
      disableForeignKeys: false,
      // The snapshot in the sources is what migration:create compares with; running migrations must not rewrite it.
      snapshotOnMigrate: false,
      silent: true,
    },
    seeder: { path: 'dist/seeders', pathTs: 'src/seeders', defaultSeeder: 'DatabaseSeeder', emit: 'ts' },
  };
}

/** Before any rule is asked, a flush would refuse the first value that is not of its property's type, and that one alone. */
function leaveKindsToRules(storage: MetadataStorage): void {
  for (const meta of storage) meta.validateProps = [];
}

/** MikroORM's own error shows the whole condition. */
function notFound(entity: string, where: unknown): NotFoundError {
  const id: unknown = typeof where === 'object' && where !== null && 'id' in where ? where.id : where;
  return new NotFoundError(entity, typeof id === 'string' ? id : 'of these properties');
}

function nextNumber(engine: Engine): string {
  return String(engine.migrations.length + 1).padStart(3, '0');
}
