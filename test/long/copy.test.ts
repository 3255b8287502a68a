import { describe, expect, it } from 'vitest';
import type { CopyReport } from '../../src/services/copy.js';
import { colloquy, startColloquy } from '../support/command-line.js';
import { ENGINES } from '../support/engines.js';

import { measured } from '../support/measured.js';
import { publishedArchives } from '../support/published-data.js';
import { seededNumbers } from '../support/sources.js';

const { conversations, documents } = publishedArchives();
const SEED = Number(process.env['COLLOQUY_TEST_SEED'] ?? Date.now() % 1_000_000);
const KILLS = 6;
/** SQLite, each server, and SQLite again. */
const ROUND = [...ENGINES, ...ENGINES.slice(0, 1)];

async function digestOf(url: string): Promise<string> {
  const { stdout } = await measured('digest', ['stats', '--tenant', 'published', '--digest', '--json'], url);
  return (JSON.parse(stdout) as { readonly digest: string }).digest;
}

async function imported(url: string): Promise<string> {
  await measured('import', ['import', ...conversations, ...documents, '--tenant', 'published'], url);
  return digestOf(url);
}

async function copied(from: string, to: string): Promise<CopyReport> {
  const begun = performance.now();
  const { stdout } = await measured('copy', ['copy', '--from', from, '--to', to, '--json'], from);
  const report = JSON.parse(stdout) as CopyReport;
  const rows = report.tenants[0]?.added ?? 0;
  const speed = rows / ((performance.now() - begun) / 1000);
  console.info(`${report.from} to ${report.to}: ${String(rows)} rows, ${speed.toFixed(0)} rows/s with verification`);
  return report;
}

describe.skipIf(conversations.length === 0)('the published archives', () => {
  it('have one digest on every engine, which copies from one to the next keep', async () => {
    const urls = await Promise.all(ROUND.map(async ({ freshUrl }) => freshUrl()));
    const [first = '', ...others] = urls;
    const digest = await imported(first);
    let from = first;
    for (const to of others) {
      const [report] = (await copied(from, to)).tenants;
      expect(report).toMatchObject({ added: 377_150, present: 0, isEqual: true });
      expect(await digestOf(to)).toBe(digest);
      from = to;
    }
    for (const { name, freshUrl } of ENGINES.slice(1)) {
      console.info(`the same import on ${name}`);
      expect(await imported(await freshUrl())).toBe(digest);
    }
  });

  it(`are copied whole, however often the copy was killed (COLLOQUY_TEST_SEED=${String(SEED)})`, async () => {
    const draw = seededNumbers(SEED);
    const source = await ENGINES[0]?.freshUrl();
    if (source === undefined) return;
    const digest = await imported(source);
    for (const { name, freshUrl } of ENGINES) {
      const target = await freshUrl();
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const running = startColloquy(['copy', '--from', source, '--to', target]);
        const moment = 1_000 + draw(9_000);
        const timer = setTimeout(() => running.process.kill('SIGKILL'), moment);
        const { signal } = await running.finished;
        clearTimeout(timer);
        console.info(`kill ${String(kill)} of seed ${String(SEED)} on ${name}: after ${String(moment)} ms`);
        expect(signal).toBe('SIGKILL');
      }
      const { tenants } = await copied(source, target);
      console.info(`${String(tenants[0]?.present)} rows were there after ${String(KILLS)} kills`);
      expect(tenants[0]).toMatchObject({ isEqual: true });
      expect(tenants[0]?.present).toBeGreaterThan(0);
      expect(await digestOf(target)).toBe(digest);
      const again = await colloquy(['copy', '--from', source, '--to', target, '--json']);
      expect((JSON.parse(again.stdout) as CopyReport).tenants[0]).toMatchObject({ added: 0, isEqual: true });
    }
  });
});
