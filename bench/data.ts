import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The archives to measure with: published ones where they lie, the bundled sample otherwise. */
export function benchArchives(): string[] {
  const folder = process.env['COLLOQUY_TEST_DATA'] ?? join(root, '..', 'shared', 'data');
  if (!existsSync(folder)) return [join(root, 'examples', 'conversations.jsonl')];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl.gz') && !name.startsWith('documents'))
    .toSorted()
    .map((name) => join(folder, name));
}
