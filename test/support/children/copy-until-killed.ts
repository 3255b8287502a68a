// Copies one database to another, and dies by SIGKILL in the middle of the given transaction, after its rows were sent and before
// its commit; 0 lives on. At its end it prints the report.
import 'reflect-metadata';
import type { BulkConnection } from '../../../src/database/engine.js';
import { PersistenceManager } from '../../../src/services/persistence-manager.js';
import { say } from '../say.js';

const [from = '', to = '', last = '0'] = process.argv.slice(2);
const source = await PersistenceManager.open({ databaseUrl: from, migrate: false });
const target = await PersistenceManager.open({ databaseUrl: to });
const connection = target.orm.em.getConnection() as unknown as BulkConnection;
const insertMany = connection.insertMany.bind(connection);

let inserts = 0;
connection.insertMany = async (...parameters) => {
  await insertMany(...parameters);
  inserts += 1;
  if (inserts === Number(last)) process.kill(process.pid, 'SIGKILL');
};

const report = await source.copyTo(target);
await source.close();
await target.close();
say(JSON.stringify(report));
