import { expect } from 'vitest';
import { RULES } from './check-history.js';
import { type HistoryOptions, runHistory } from './two-processes.js';

/** Runs a history and asserts that it keeps every rule; prints what was done. */
export async function expectSoundHistory(
  options: Omit<HistoryOptions, 'seed'> & { readonly engine: string },
): Promise<void> {
  const seed = Number(process.env['COLLOQUY_TEST_SEED'] ?? Date.now() % 1_000_000);
  const { violations, errors, seconds, ...counts } = await runHistory({ ...options, seed });
  const { engine, faults, appends } = options;
  const figures = Object.entries(counts).map(([name, count]) => `${String(count)} ${name}`);
  const run =
    `${engine}, faults ${faults ? `${faults.name} (${String(faults.counts)})` : 'none'}: ` +
    `${figures.join(', ')}, ${seconds.toFixed(1)} s, COLLOQUY_TEST_SEED=${String(seed)}`;
  console.info(`${run}; errors ${JSON.stringify(errors)}`);
  const broken = violations.slice(0, 10).map(({ rule, detail }) => `${rule} (${RULES[rule]}): ${detail}`);
  expect(broken, run).toEqual([]);
  const unexpected = Object.keys(errors).filter((error) => error.startsWith('UNEXPECTED'));
  expect(unexpected, run).toEqual([]);
  expect(counts.acknowledged, run).toBeGreaterThanOrEqual(appends);
  if (faults) expect(faults.counts.total, run).toBeGreaterThan(0);
}
