import { expect, it } from 'vitest';
import { freshUrl, isSqlite } from '../support/engine-under-test.js';
import { startChild } from '../support/child.js';
import { openAcme, openManager } from '../support/open-manager.js';
import { rawRows } from '../support/raw-rows.js';
import { seededRandom } from '../support/sources.js';

const ROUNDS = 10;

/** Kills the child in the midst of its work, soon after `seen` acknowledgements, and returns all that it has given. */
async function killAfter(seen: number, url: string, conversationId: string): Promise<number[]> {
  const child = startChild('append-until-killed', [url, conversationId]);
  const acknowledged: number[] = [];
  for await (const line of child.lines) {
    acknowledged.push(Number(line));
    if (acknowledged.length === seen) child.process.kill('SIGKILL');
  }
  expect(await child.ended).toMatchObject({ signal: 'SIGKILL', errors: '' });
  return acknowledged;
}

it(
  'every acknowledged message survives kill -9 at any moment, and the conversation stays dense',
  { timeout: 300_000 },
  async () => {
    const url = await freshUrl();
    const { persistence, conversationId } = await openAcme({ url });
    await persistence.close();
    const moments = [...seededRandom(20_260_101).bytes(ROUNDS)].map((byte) => byte + 1);
    const acknowledged: number[] = [];
    for (const moment of moments) acknowledged.push(...(await killAfter(moment, url, conversationId)));

    if (isSqlite) {
      expect(await rawRows(url, 'pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      expect(await rawRows(url, 'pragma foreign_key_check')).toEqual([]);
    }
    const { persistence: again } = await openManager({ url, seed: 2 });
    const acme = again.tenant('acme');
    const seqs = (await acme.messages.history(conversationId, { last: 10_000 })).map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => index + 1));
    const lost = acknowledged.filter((seq) => seq > seqs.length);
    expect(lost, `killed after ${moments.join(', ')} acknowledgements`).toEqual([]);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(await acme.conversations.get(conversationId)).toMatchObject({
      messageCount: seqs.length,
      tokenCount: 2 * seqs.length,
    });
  },
);
