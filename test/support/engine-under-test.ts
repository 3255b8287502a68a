import { ENGINES, type TestEngine } from './engines.js';

/**
 * The engine that this test file runs on: vitest runs what every engine must do once for each, as a project of the engine's name
 * (see `vitest.config.ts`); SQLite elsewhere.
 */
const name = process.env['TEST_ENGINE'] ?? 'sqlite';

const found = ENGINES.find((engine) => engine.name === name);
if (!found)
  throw new Error(`There is no engine ${name} here; ${ENGINES.map((engine) => engine.name).join(', ')} can be had.`);

export const engineUnderTest: TestEngine = found;
export const isSqlite = engineUnderTest.name === 'sqlite';

/** The URL of an empty database of its own. */
export async function freshUrl(): Promise<string> {
  return engineUnderTest.freshUrl();
}
