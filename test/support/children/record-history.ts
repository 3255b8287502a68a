// Runs the callers of a workload when told to, records their calls in a file, and prints a line for each append that was acknowledged.
import 'reflect-metadata';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { PersistenceManager } from '../../../src/services/persistence-manager.js';
import { HistoryRecorder } from '../../history/history.js';
import { Callers, storeOf, type Workload } from '../../history/workload.js';
import { say } from '../say.js';

const [databaseUrl = '', tenant = '', file = '', workload = '{}'] = process.argv.slice(2);
await using persistence = await PersistenceManager.open({ databaseUrl });
const recorder = new HistoryRecorder(openSync(file, 'a'));
const store = storeOf(persistence.tenant(tenant));
const callers = new Callers(store, recorder, JSON.parse(workload) as Workload, () => say('\n'));
say('ready\n');
await once(process.stdin, 'data');
await callers.run();
process.stdin.destroy();
