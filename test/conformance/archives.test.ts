import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { exportArchive } from '../../src/interchange/export-archive.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import { open } from '../support/conformance.js';
import { ENGINES } from '../support/engines.js';

const FILES = ['examples/conversations.jsonl', 'examples/documents.jsonl'];

/** Imports the examples, exports them, and returns the text. */
async function roundTrip(url: string): Promise<string> {
  const persistence = await open(url, { clock: { now: () => new Date('2026-01-01T12:00:00.000Z') } });
  await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
  const acme = persistence.tenant('acme');
  await importArchives(acme, FILES, { strict: true });
  const again = await importArchives(acme, FILES);
  expect(again.total).toMatchObject({ messages: 0, rejected: 0, conversations: { added: 0 }, documents: { added: 0 } });
  let text = '';
  await exportArchive(acme, async (line) => {
    text += line;
  });
  return text;
}

const ids = (texts: readonly string[]) => texts.map((text) => (JSON.parse(text) as { id?: string }).id);

it.each(ENGINES)('$name: an export gives back what was imported', async ({ freshUrl }) => {
  const lines = (await roundTrip(await freshUrl())).trim().split('\n');
  const given = FILES.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'));
  expect(ids(lines)).toEqual(ids(given));
});

it.runIf(ENGINES.length > 1)('exports of all engines are equal byte by byte', async () => {
  const [first, ...others] = await Promise.all(ENGINES.map(async ({ freshUrl }) => roundTrip(await freshUrl())));
  for (const other of others) expect(other).toBe(first);
});
