import { expect } from 'vitest';
import { commandLine, type Finished, startProgram } from './command-line.js';

const MAX_PEAK_MIB = 300;

/** Runs the command line in a process that tells its peak memory, which is held against the limit. */
export async function measured(what: string, parameters: readonly string[], url: string): Promise<Finished> {
  const command = commandLine('test/support/children/print-peak-memory.ts');
  const begun = performance.now();
  const finished = await startProgram([...command, ...parameters], { url }).finished;
  const peak = Number(/peak resident set: (\d+) KiB/.exec(finished.stderr)?.[1]) / 1024;
  console.info(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s, peak ${peak.toFixed(0)} MiB`);
  expect(finished).toMatchObject({ code: 0, signal: null });
  expect.soft(peak, `MiB at the peak of the ${what}`).toBeLessThan(MAX_PEAK_MIB);
  return finished;
}
