import type { SqlEntityManager } from '@mikro-orm/sql';
import { postgreSqlMigrations } from '../migrations/postgresql/index.js';
import { assertNotDistributed, CitusDistribution, isDistributed } from './citus.js';
import type { Engine } from './engine.js';
import { translatePostgreSqlError } from './postgresql-errors.js';
import { type BoundPostgreSqlConnection, BoundPostgreSqlDriver } from './postgresql-driver.js';
import { assertSecurityUsable, declarePolicies } from './postgresql-row-level-security.js';
import { parsePostgreSqlUrl } from './postgresql-url.js';
import { describeServer, type NameOf } from './server-url.js';
import { type UniqueKeys, uniqueKeysOf } from './unique-keys.js';

/**
 * The server engine: `postgresql://USER[:PASSWORD]@HOST[:PORT]/DATABASE` (or `postgres:`). Parameters, times in milliseconds:
 * `sslmode` (`disable`; see `tls.ts`), `sslrootcert`, `sslcert` and `sslkey` (paths of PEM files), `poolSize` (25), `poolIdle` (5, how
 * many connections stay open unused), `connectTimeout` (5000, also how long to wait for a free connection), `statementTimeout` (30000; 0
 * for none), `idleTimeout` (30000), `applicationName` (`colloquy`), `namedStatements=false` for a pooler that cannot keep prepared
 * statements, and `rowLevelSecurity=false` to let tenants be kept apart by keys and filters alone. The database must exist; its tables
 * are made.
 *
 * @throws ConfigurationError for a part or a parameter that cannot be.
 */
export function createPostgreSqlEngine(url: string, nameOf?: NameOf): Engine {
  const settings = parsePostgreSqlUrl(url, nameOf);
  const description = describeServer('PostgreSQL', settings);
  let uniqueKeys: UniqueKeys = new Map();
  return {
    name: 'postgresql',
    description,
    migrations: postgreSqlMigrations,
    takesReplicas: true,
    retriesConflicts: true,
    options: {
      driver: BoundPostgreSqlDriver,
      dbName: settings.database,
      driverOptions: settings,
      ensureDatabase: false,
      discovery: {
        afterDiscovered(storage, platform) {
          declarePolicies(storage);
          uniqueKeys = uniqueKeysOf(storage, platform);
        },
      },
      migrations: {
        snapshotName: '.snapshot-postgresql',
        pathTs: 'src/migrations/postgresql',
        path: 'dist/migrations/postgresql',
      },
    },
    async assertUsable(em) {
      if (settings.rowLevelSecurity) await assertNotDistributed(em);
      // One statement reaches tables of every node and of one alone, which a distributed database may not plan as one.
      else if (await isDistributed(em)) (em.getConnection() as unknown as BoundPostgreSqlConnection).writesInSteps();
      await assertSecurityUsable(em, settings);
    },
    distribution: (em) => new CitusDistribution(em.getConnection() as unknown as BoundPostgreSqlConnection, settings),
    async databaseSize(em: SqlEntityManager) {
      const [row] = await em.execute<{ size: number }[]>('select pg_database_size(current_database()) as size');
      return row?.size ?? 0;
    },
    async identity(em: SqlEntityManager) {
      // No two servers began in the same microsecond; a host has many names.
      const sql = 'select current_database() as name, extract(epoch from pg_postmaster_start_time()) as began';
      const [row] = await em.execute<{ name: string; began: string }[]>(sql);
      return `postgresql ${row?.began ?? ''} ${row?.name ?? ''}`;
    },
    assertReachable: () => undefined,
    exists: () => true,
    translateError: (error) =>
      translatePostgreSqlError(error, { database: description, user: settings.user, uniqueKeys }),
  };
}
