import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { ConfigurationError, DatabaseUnavailableError } from '../errors.js';
import { sqliteMigrations } from '../migrations/sqlite/index.js';
import type { Engine } from './engine.js';
import { translateSqliteError } from './native-errors.js';
import { BoundSqliteDriver, type SqliteSettings } from './sqlite-driver.js';

const DEFAULT_BUSY_TIMEOUT = 5_000;

/**
 * The embedded engine: `sqlite:PATH` or `file:PATH`, `sqlite::memory:` for a database that lives as long as the process. Parameters:
 * `durable=true` forces every commit to the disk (synchronous=FULL; without it a power cut, though not the death of the process,
 * may lose the last commits); `busyTimeout`, how long to wait for another process's lock, in milliseconds, 5000 unless given.
 *
 * @throws ConfigurationError for a path or a parameter that cannot be.
 */
export function createSqliteEngine(url: string): Engine {
  const settings = parseSqliteUrl(url);
  const description = settings.path === ':memory:' ? 'SQLite in memory' : `SQLite ${settings.path}`;
  return {
    name: 'sqlite',
    description,
    migrations: sqliteMigrations,
    takesReplicas: false,
    // A writing transaction holds the only write lock from its beginning.
    retriesConflicts: false,
    options: {
      driver: BoundSqliteDriver,
      dbName: settings.path,
      driverOptions: settings,
      migrations: { snapshotName: '.snapshot-sqlite', pathTs: 'src/migrations/sqlite', path: 'dist/migrations/sqlite' },
    },
    async databaseSize(em: SqlEntityManager) {
      const query = 'select page_count * page_size as size from pragma_page_count(), pragma_page_size()';
      const [row] = await em.execute<{ size: number }[]>(query);
      return row?.size ?? 0;
    },
    async identity() {
      if (settings.path === ':memory:') return undefined;
      const { dev, ino } = statSync(settings.path, { bigint: true });
      return `sqlite ${String(dev)}:${String(ino)}`;
    },
    assertReachable() {
      if (settings.path !== ':memory:') assertFile(settings.path, description);
    },
    exists: () => settings.path === ':memory:' || existsSync(settings.path),
    translateError: (error) => translateSqliteError(error, description),
  };
}

function parseSqliteUrl(url: string): SqliteSettings {
  const [location = '', query = ''] = url.replace(/^(?:sqlite|file):/i, '').split(/\?(.*)/s);
  const path = location.replace(/^\/\/(?=\/|$)/, '');
  const problems: string[] = [];
  let durable = false;
  let busyTimeout = DEFAULT_BUSY_TIMEOUT;
  if (path === '') problems.push('DATABASE_URL names no file; write sqlite:PATH or sqlite::memory:');
  if (path.startsWith('//')) problems.push('DATABASE_URL names a host; SQLite is a file: write sqlite:PATH');
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'durable' && /^(?:true|false)$/.test(value)) durable = value === 'true';
    else if (name === 'busyTimeout' && /^\d{1,7}$/.test(value)) busyTimeout = Number(value);
    else if (name === 'durable') problems.push('durable in DATABASE_URL must be true or false');
    else if (name === 'busyTimeout') problems.push('busyTimeout in DATABASE_URL must be whole milliseconds');
    else problems.push(`DATABASE_URL has the unknown parameter ${name}; SQLite knows durable and busyTimeout`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { path: path === ':memory:' ? path : resolve(path), busyTimeout, durable };
}

/** SQLite's own "unable to open database file" does not say which of these it was. */
function assertFile(path: string, description: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) throw new DatabaseUnavailableError(description, `the folder ${folder} does not exist`);
  if (existsSync(path) && !statSync(path).isFile()) throw new DatabaseUnavailableError(description, 'it is not a file');
}
