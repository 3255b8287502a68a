// Appends from several writers at once when told to, and prints `conversation seq` for each message that was accepted.
import 'reflect-metadata';
import { once } from 'node:events';
import { PersistenceManager } from '../../../src/services/persistence-manager.js';

const [databaseUrl = '', writers = '1', each = '1', ...conversations] = process.argv.slice(2);
await using persistence = await PersistenceManager.open({ databaseUrl });
const { messages } = persistence.tenant('acme');
console.log('ready');
await once(process.stdin, 'data');

async function write(writer: number): Promise<void> {
  for (let index = 0; index < Number(each); index++) {
    const conversation = conversations[(writer + index) % conversations.length] ?? '';
    const content = `${String(process.pid)}-${String(writer)}-${String(index)}`;
    const { seq } = await messages.append(conversation, { role: 'user', content, tokenCount: 1 });
    console.log(`${conversation} ${String(seq)}`);
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)));
process.stdin.destroy();
