import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArchive } from '../../src/interchange/read-archive.js';
import { collect } from './archive-files.js';

const FOLDER = process.env['COLLOQUY_TEST_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data');
const isThere = existsSync(FOLDER);
if (!isThere)
  console.warn(`Skipped: there is no ${FOLDER}. Set COLLOQUY_TEST_DATA to the folder of the published data.`);

describe.skipIf(!isThere)('the published data', () => {
  it('is read without a rejection', async () => {
    const counts = { conversations: 0, voice: 0, messages: 0, documents: 0, rejected: 0 };
    for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl.gz'))) {
      for await (const entry of readArchive(join(FOLDER, file))) {
        if ('reason' in entry) counts.rejected++;
        else if (entry.record.kind === 'document') counts.documents++;
        else {
          counts.conversations++;
          counts.messages += entry.record.messages.length;
          if (entry.record.modality === 'voice') counts.voice++;
        }
      }
    }
    expect(counts).toEqual({ conversations: 17_645, voice: 1549, messages: 355_413, documents: 1023, rejected: 0 });
  }, 60_000);

  it('has a ShareGPT file', async () => {
    const entries = await collect(readArchive(join(FOLDER, 'raw/fastchat/dummy_conversation.json')));
    expect(entries).toHaveLength(500);
    expect(entries.filter((entry) => 'reason' in entry)).toEqual([]);
    expect(entries[1]).toMatchObject({ line: 23, record: { source: 'sharegpt', id: 'identity_1' } });
  });
});
