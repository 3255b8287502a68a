import type { SqlEntityManager } from '@mikro-orm/sql';
import { mariaDbMigrations } from '../migrations/mariadb/index.js';
import type { Engine } from './engine.js';
import { BoundMariaDbDriver } from './mariadb-driver.js';
import { translateMariaDbError } from './mariadb-errors.js';
import { parseMariaDbUrl } from './mariadb-url.js';
import { describeServer, type NameOf } from './server-url.js';
import { type UniqueKeys, uniqueKeysOf } from './unique-keys.js';

/**
 * The server engine for MariaDB and MySQL: `mariadb://USER[:PASSWORD]@HOST[:PORT]/DATABASE` (or `mysql:`), with the parameters that every
 * server's URL takes. The database must exist; its tables are made.
 *
 * @throws ConfigurationError for a part or a parameter that cannot be.
 */
export function createMariaDbEngine(url: string, nameOf?: NameOf): Engine {
  const settings = parseMariaDbUrl(url, nameOf);
  const description = describeServer(/^mysql:/i.test(url) ? 'MySQL' : 'MariaDB', settings);
  let uniqueKeys: UniqueKeys = new Map();
  return {
    name: 'mariadb',
    description,
    migrations: mariaDbMigrations,
    takesReplicas: true,
    retriesConflicts: true,
    options: {
      driver: BoundMariaDbDriver,
      dbName: settings.database,
      driverOptions: settings,
      ensureDatabase: false,
      discovery: {
        afterDiscovered: (storage, platform) => void (uniqueKeys = uniqueKeysOf(storage, platform)),
      },
      migrations: {
        snapshotName: '.snapshot-mariadb',
        pathTs: 'src/migrations/mariadb',
        path: 'dist/migrations/mariadb',
      },
    },
    databaseSize: sizeOf,
    async identity(em: SqlEntityManager) {
      const [row] = await em.execute<{ id: string }[]>(
        `select concat_ws(' ', 'mariadb', @@hostname, @@port, @@datadir, database()) as id`,
      );
      return row?.id;
    },
    assertReachable: () => undefined,
    exists: () => true,
    translateError: (error) => translateMariaDbError(error, { database: description, uniqueKeys }),
  };
}

/** Of the tables' files, for a user who may see them (the privilege PROCESS); else what the server has counted, some time ago. */
async function sizeOf(em: SqlEntityManager): Promise<number> {
  // A statement that is refused would be the end of a transaction. MariaDB and MySQL have another name for the same view.
  const [files] = await em.execute<{ name: string }[]>(
    `select table_name as name from information_schema.tables
      where table_schema = 'information_schema' and table_name in ('INNODB_SYS_TABLESPACES', 'INNODB_TABLESPACES')
        and exists (select 1 from information_schema.user_privileges
                     where privilege_type = 'PROCESS' and grantee = concat('''', replace(current_user(), '@', '''@'''), ''''))`,
  );
  const sql = files
    ? `select cast(sum(file_size) as double) as size from information_schema.${files.name} where name like concat(database(), '/%')`
    : 'select cast(sum(data_length + index_length) as double) as size from information_schema.tables where table_schema = database()';
  const [row] = await em.execute<{ size: number | null }[]>(sql);
  return row?.size ?? 0;
}
