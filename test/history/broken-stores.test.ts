import { openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fakeClock } from '../support/sources.js';
import { openAcme } from '../support/open-manager.js';
import { temporaryFile } from '../support/temporary-folder.js';
import { BROKEN_STORES, type Ground } from './broken-stores.js';
import { checkHistory, type Rule } from './check-history.js';
import { HistoryRecorder, readRecording } from './history.js';
import { Callers, readFinalState, type Store, storeOf } from './workload.js';

/** The rules that the store breaks when 16 callers call it. */
async function brokenRules(build: (ground: Ground) => Store): Promise<Set<Rule>> {
  const opened = await openAcme({ clock: fakeClock({ step: -1 }) });
  const { persistence, tenant, userId } = opened;
  await persistence.withEntityManager((em) => em.execute('drop index messages_seq_unique'));
  const conversations = [opened.conversationId, (await tenant.conversations.start({ userId })).id];
  const file = temporaryFile('calls.jsonl');
  const workload = { seed: 1, name: 'a', callers: 16, conversations, appends: 400 };
  await new Callers(build(opened), new HistoryRecorder(openSync(file, 'a')), workload).run();
  const calls = readRecording(file);
  expect(calls.filter(({ error }) => error?.startsWith('UNEXPECTED'))).toEqual([]);
  return new Set(checkHistory(calls, await readFinalState(tenant, conversations)).map(({ rule }) => rule));
}

it('the library itself breaks no rule', async () => {
  expect([...(await brokenRules(({ tenant }) => storeOf(tenant)))]).toEqual([]);
});

it.each(BROKEN_STORES)('is caught by the rule "$breaks" where $bug', async ({ build, breaks }) => {
  const rules = await brokenRules(build);
  expect([...rules]).toContain(breaks);
});
