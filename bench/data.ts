import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The conversations to measure with: published ones where they lie, the bundled sample otherwise. */
export function benchArchives(): string[] {
  return archives((name) => !name.startsWith('documents'), 'conversations.jsonl');
}

/** {@link benchArchives} of documents. */
export function benchDocuments(): string[] {
  return archives((name) => name.startsWith('documents'), 'documents.jsonl');
}

function archives(isWanted: (name: string) => boolean, sample: string): string[] {
  const folder = process.env['COLLOQUY_TEST_DATA'] ?? join(root, '..', 'shared', 'data');
  if (!existsSync(folder)) return [join(root, 'examples', sample)];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl.gz') && isWanted(name))
    .toSorted()
    .map((name) => join(folder, name));
}
