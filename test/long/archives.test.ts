import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { ImportReport } from '../../src/interchange/import-archives.js';
import type { Stats } from '../../src/services/stats.service.js';
import { colloquy } from '../support/command-line.js';
import { measured } from '../support/measured.js';
import { publishedArchives } from '../support/published-data.js';
import { openRaw } from '../support/raw-database.js';
import { storedConversations } from '../support/table-dump.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const { conversations, documents } = publishedArchives();
async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

describe.skipIf(conversations.length === 0)('the published archives', () => {
  it('go into one tenant whole, once, and come out as they went in', async () => {
    const folder = temporaryFolder();
    const [url, copy] = [`sqlite:${join(folder, 'first.sqlite')}`, `sqlite:${join(folder, 'second.sqlite')}`];
    const load = ['import', ...conversations, ...documents, '--tenant', 'published', '--json'];

    const first = JSON.parse((await measured('import', load, url)).stdout) as ImportReport;
    expect(first.total).toMatchObject({
      conversations: { added: 17_645, present: 0 },
      documents: { added: 1023, present: 0 },
      messages: 355_413,
      voiceSessions: 1549,
      rejected: 0,
    });
    const stored = await storedConversations(url);
    expect(stored).toHaveLength(17_645);
    expect(
      stored.filter((row) => row.counted !== row.stored || row.lastSeq !== row.stored || row.firstSeq !== 1),
    ).toEqual([]);

    const second = JSON.parse((await measured('import again', load, url)).stdout) as ImportReport;
    expect(second.total).toEqual({
      conversations: { added: 0, present: 17_645 },
      documents: { added: 0, present: 1023 },
      messages: 0,
      voiceSessions: 0,
      users: 0,
      rejected: 0,
    });
    const { rows } = JSON.parse((await colloquy(['stats', '--json'], { url })).stdout) as Stats;
    expect(rows).toMatchObject({ conversations: 17_645, messages: 355_413, voice_sessions: 1549, documents: 1023 });

    const [out, again] = [join(folder, 'out.jsonl'), join(folder, 'again.jsonl')];
    await measured('export', ['export', '--tenant', 'published', '--out', out], url);
    await measured('import of the export', ['import', out, '--tenant', 'copy'], copy);
    await measured('export again', ['export', '--tenant', 'copy', '--out', again], copy);
    expect(await digestOf(again)).toBe(await digestOf(out));
    expect(openRaw(copy).pragma('integrity_check', { simple: true })).toBe('ok');
  });
});
