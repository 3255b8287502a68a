// Appends without end from several writers, and prints each sequence number once the message was acknowledged.
import 'reflect-metadata';
import { PersistenceManager } from '../../../src/services/persistence-manager.js';
import { say } from '../say.js';

const [databaseUrl = '', conversation = ''] = process.argv.slice(2);
const persistence = await PersistenceManager.open({ databaseUrl });
const { messages } = persistence.tenant('acme');

async function write(): Promise<never> {
  for (;;) {
    const { seq } = await messages.append(conversation, { role: 'user', content: 'still here', tokenCount: 2 });
    // At once and whole: what stdout buffers would die with the process, and look like a message that was never acknowledged.
    say(`${String(seq)}\n`);
  }
}

await Promise.all(Array.from({ length: 4 }, write));
