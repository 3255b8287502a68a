import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { ImportReport } from '../../src/interchange/import-archives.js';
import type { Stats } from '../../src/services/stats.service.js';
import { colloquy, type Finished, startProgram, typescript } from '../support/command-line.js';
import { publishedArchives } from '../support/published-data.js';
import { openRaw } from '../support/raw-database.js';
import { storedConversations } from '../support/table-dump.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const { conversations, documents } = publishedArchives();
const MAX_PEAK_MIB = 300;

/** Runs the command line in a process that tells its peak memory, which is held against the limit. */
async function measured(what: string, parameters: readonly string[], url: string): Promise<Finished> {
  const command = typescript('src/cli/main.ts', ['test/support/children/print-peak-memory.ts']);
  const begun = performance.now();
  const finished = await startProgram([...command, ...parameters], { url }).finished;
  const peak = Number(/peak resident set: (\d+) KiB/.exec(finished.stderr)?.[1]) / 1024;
  console.info(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s, peak ${peak.toFixed(0)} MiB`);
  expect(finished).toMatchObject({ code: 0, signal: null });
  expect.soft(peak, `MiB at the peak of the ${what}`).toBeLessThan(MAX_PEAK_MIB);
  return finished;
}

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
