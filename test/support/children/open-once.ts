// Opens a database when told to, and prints how many migrations it holds then.
import 'reflect-metadata';
import { once } from 'node:events';
import { Migrator } from '../../../src/database/migrator.js';
import { PersistenceManager } from '../../../src/services/persistence-manager.js';

const [databaseUrl = ''] = process.argv.slice(2);
console.log('ready');
await once(process.stdin, 'data');
const persistence = await PersistenceManager.open({ databaseUrl });
const status = await Migrator.of(persistence.orm).status();
console.log(String(status.filter(({ state }) => state === 'applied').length));
await persistence.close();
process.stdin.destroy();
