// Imports archives, and dies by SIGKILL right before the given native statement (begin and commit are statements too), counted from
// the first one of the import; 0 lives on. At its end it prints how many statements there were.
import 'reflect-metadata';
import type { BoundSqliteConnection } from '../../../src/database/sqlite-driver.js';
import { importArchives } from '../../../src/interchange/import-archives.js';
import { PersistenceManager } from '../../../src/services/persistence-manager.js';
import { say } from '../say.js';

const [databaseUrl = '', last = '0', ...files] = process.argv.slice(2);
const persistence = await PersistenceManager.open({ databaseUrl });
const connection = persistence.orm.em.getConnection() as unknown as BoundSqliteConnection;
const database = await connection.getNativeClient();

let statements = 0;
function countOne(): void {
  statements += 1;
  if (statements === Number(last)) process.kill(process.pid, 'SIGKILL');
}

function countCalls(target: object, name: 'run' | 'all' | 'exec'): void {
  const method = Reflect.get(target, name) as (...parameters: unknown[]) => unknown;
  function counted(this: unknown, ...parameters: unknown[]): unknown {
    countOne();
    return Reflect.apply(method, this, parameters);
  }
  Object.assign(target, { [name]: counted });
}

const statement: object = Object.getPrototypeOf(database.prepare('select 1')) as object;
countCalls(statement, 'run');
countCalls(statement, 'all');
countCalls(database, 'exec');

await persistence.tenants.ensure({ slug: 'shop', name: 'Shop' });
await importArchives(persistence.tenant('shop'), files, { onProgress: () => say('.') });
await persistence.close();
say(`\n${String(statements)}\n`);
