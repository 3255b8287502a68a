import { expect, it } from 'vitest';
import { importArchives } from '../../src/interchange/import-archives.js';
import { inventConversations, lengthsOf } from '../support/invented-archive.js';
import { expectWhole, importUntilKilled } from '../support/killed-imports.js';
import { openManager } from '../support/open-manager.js';
import { seededNumbers } from '../support/sources.js';
import { temporaryUrl } from '../support/temporary-folder.js';
import { archiveFile, jsonLines } from './archive-files.js';

it('An import that is killed, three times over, leaves whole conversations, and the next one completes them', async () => {
  const conversations = inventConversations(600);
  const lengths = lengthsOf(conversations);
  const [file, url, draw] = [archiveFile(jsonLines(...conversations)), temporaryUrl(), seededNumbers(20_260_101)];
  let whole = 0;
  for (let kill = 1; kill <= 3; kill += 1) {
    // What an import has still to write is at least one statement for 64 messages.
    const left = conversations.slice(whole).reduce((sum, { messages }) => sum + messages.length, 0);
    const statement = draw(Math.floor(left / 64));
    const { signal, stderr } = await importUntilKilled(url, statement, [file]);
    expect({ kill, statement, signal, stderr }).toEqual({ kill, statement, signal: 'SIGKILL', stderr: '' });
    const before = whole;
    whole = await expectWhole(url, lengths);
    expect(whole).toBeGreaterThanOrEqual(before);
  }
  expect(whole).toBeGreaterThan(0);
  expect(whole).toBeLessThan(600);

  const { persistence } = await openManager({ url });
  const { total } = await importArchives(persistence.tenant('shop'), [file]);
  expect(total.conversations).toEqual({ added: 600 - whole, present: whole });
  expect(await expectWhole(url, lengths)).toBe(600);
});
