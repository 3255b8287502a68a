// Waits to be told, then opens a database and does one piece of work on it: `open`, `append CHAT WRITERS EACH KEY`, `create CALLERS EACH KEY`,
// `import FILE…`.
import 'reflect-metadata';
import { once } from 'node:events';
import { importArchives } from '../../../src/interchange/import-archives.js';
import { PersistenceManager } from '../../../src/services/persistence-manager.js';

const [databaseUrl = '', work = '', ...parameters] = process.argv.slice(2);
console.log('ready');
await once(process.stdin, 'data');
await using persistence = await PersistenceManager.open({ databaseUrl });
if (work === 'append') {
  const [chat = '', writers = '1', each = '1', key = ''] = parameters;
  const { messages } = persistence.tenant('acme');
  const write = async (writer: number): Promise<void> => {
    for (let index = 0; index < Number(each); index++) {
      const content = key === '' ? `${String(process.pid)}-${String(writer)}-${String(index)}` : 'the same';
      const options = key === '' ? {} : { idempotencyKey: `${key}-${String(index)}` };
      const { seq } = await messages.append(chat, { role: 'user', content, tokenCount: 1 }, options);
      console.log(String(seq));
    }
  };
  await Promise.all(Array.from({ length: Number(writers) }, (_unused, writer) => write(writer)));
} else if (work === 'create') {
  const [callers = '1', each = '1', key = ''] = parameters;
  const { conversations, users } = persistence.tenant('acme');
  const { id: userId } = await users.getByExternalId('acme-user');
  const create = async (): Promise<void> => {
    for (let index = 0; index < Number(each); index++) {
      const idempotencyKey = `${key}-${String(index)}`;
      console.log((await conversations.start({ userId, title: idempotencyKey }, { idempotencyKey })).id);
    }
  };
  await Promise.all(Array.from({ length: Number(callers) }, create));
} else if (work === 'import') {
  await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
  const { total } = await importArchives(persistence.tenant('acme'), parameters);
  console.log(JSON.stringify(total));
} else {
  const { rows } = await persistence.stats();
  console.log(String(Object.keys(rows).length));
}
process.stdin.destroy();
