import { describe, expect, it } from 'vitest';
import { importArchives, type ImportReport } from '../../src/interchange/import-archives.js';
import { readArchive } from '../../src/interchange/read-archive.js';
import { toExternalId } from '../../src/interchange/external-key.js';
import { colloquy, commandLine, startProgram } from '../support/command-line.js';
import { expectWhole, importUntilKilled } from '../support/killed-imports.js';
import { openManager } from '../support/open-manager.js';
import { publishedArchives } from '../support/published-data.js';
import { seededNumbers } from '../support/sources.js';
import { temporaryUrl } from '../support/temporary-folder.js';

const { conversations } = publishedArchives();
/** A few thousand conversations are enough: an import of them takes seconds, and dies anywhere in it. */
const files = conversations.filter((path) =>
  /(?:crosswoz|primock57|evi-en|fastchat|real-persona-chat)[^/]*$/.test(path),
);
const SEED = Number(process.env['COLLOQUY_TEST_SEED'] ?? Date.now() % 1_000_000);
const KILLS = 20;

async function readLengths(): Promise<Map<string, number>> {
  const lengths = new Map<string, number>();
  for (const file of files) {
    for await (const entry of readArchive(file)) {
      if ('reason' in entry || entry.record.kind !== 'conversation') throw new Error('not a conversation');
      lengths.set(toExternalId(entry.record.source, entry.record.id), entry.record.messages.length);
    }
  }
  return lengths;
}

/** Kills the command line from outside, some milliseconds after it has begun: inside of a commit too. */
async function killAfter(url: string, milliseconds: number): Promise<void> {
  const running = startProgram([...commandLine(), 'import', ...files, '--tenant', 'shop'], { url });
  const timer = setTimeout(() => running.process.kill('SIGKILL'), milliseconds);
  await running.finished;
  clearTimeout(timer);
}

describe.skipIf(files.length === 0)('imports that are killed', () => {
  it(`leave whole conversations, and the next import completes them (COLLOQUY_TEST_SEED=${String(SEED)})`, async () => {
    const [lengths, draw] = [await readLengths(), seededNumbers(SEED)];
    const begun = performance.now();
    const { stdout } = await importUntilKilled(temporaryUrl(), 0, files);
    const duration = Math.ceil(performance.now() - begun);
    const statements = Number(stdout.trim().split('\n').at(-1));
    const kept: number[] = [];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const url = temporaryUrl();
      await colloquy(['migrate', 'up'], { url });
      const moment = kill % 2 === 0 ? draw(duration) : draw(statements);
      console.info(
        `kill ${String(kill)} of seed ${String(SEED)}: ${kill % 2 === 0 ? 'ms' : 'statement'} ${String(moment)}`,
      );
      if (kill % 2 === 0) await killAfter(url, moment);
      else expect(await importUntilKilled(url, moment, files)).toMatchObject({ signal: 'SIGKILL', stderr: '' });
      const whole = await expectWhole(url, lengths);
      kept.push(whole);

      const { persistence } = await openManager({ url });
      await persistence.tenants.ensure({ slug: 'shop', name: 'shop' });
      const report: ImportReport = await importArchives(persistence.tenant('shop'), files);
      await persistence.close();
      expect(report.total).toMatchObject({
        conversations: { added: lengths.size - whole, present: whole },
        rejected: 0,
      });
      expect(await expectWhole(url, lengths)).toBe(lengths.size);
    }
    console.info(`of ${String(lengths.size)} conversations there were, after each kill: ${kept.join(', ')}`);
    expect(Math.max(...kept)).toBeGreaterThan(0);
  });
});
