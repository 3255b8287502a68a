import { expect } from 'vitest';
import { RULES } from './check-history.js';
import { type HistoryOptions, runHistory } from './two-processes.js';

/** Runs a history and asserts that it keeps every rule; prints what was done. */
export async function expectSoundHistory(
  options: Omit<HistoryOptions, 'seed'> & { readonly engine: string },
): Promise<void> {
  const seed = Number(process.env['COLLOQUY_TEST_SEED'] ?? Date.now() % 1_000_000);
  const { violations, errors, ...report } = await runHistory({ ...options, seed });
  const { engine, faults } = options;
  const figures = Object.entries(report).map(
    ([name, figure]) => `${name} ${figure.toFixed(name === 'seconds' ? 1 : 0)}`,
  );
  const run = `${engine}, faults ${faults?.name ?? 'none'}: ${figures.join(', ')}, COLLOQUY_TEST_SEED=${String(seed)}`;
  console.info(`${run}; errors ${JSON.stringify(errors)}`);
  const broken = violations.slice(0, 10).map(({ rule, detail }) => `${rule} (${RULES[rule]}): ${detail}`);
  expect(broken, run).toEqual([]);
  expect(
    Object.keys(errors).filter((error) => error.startsWith('UNEXPECTED')),
    run,
  ).toEqual([]);
  expect(report.acknowledged, run).toBeGreaterThanOrEqual(options.appends);
  if (faults) expect(report.faults, run).toBeGreaterThan(0);
}
