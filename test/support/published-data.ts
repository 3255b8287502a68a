import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from './child.js';

/** Where the published conversations are that the long tests import. */
const FOLDER = process.env['COLLOQUY_TEST_DATA'] ?? join(CHECKOUT, '../shared/data');

/** The archives of conversations and of documents; none where the data is not there, which is said once. */
export function publishedArchives(): { readonly conversations: string[]; readonly documents: string[] } {
  if (!existsSync(FOLDER)) {
    console.warn(`Skipped: there is no ${FOLDER}. Set COLLOQUY_TEST_DATA to the folder of the published data.`);
    return { conversations: [], documents: [] };
  }
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl.gz'));
  return {
    conversations: files.filter((name) => !name.startsWith('documents')).map((name) => join(FOLDER, name)),
    documents: files.filter((name) => name.startsWith('documents')).map((name) => join(FOLDER, name)),
  };
}
