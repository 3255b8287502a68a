import { expect, it } from 'vitest';
import { SERVERS } from '../support/engines.js';
import { loseCommits } from '../support/lost-commits.js';

const SEED = Number(process.env['COLLOQUY_TEST_SEED'] ?? Date.now() % 1_000_000);
const LOST = 1_000;

// A file without tests is an error.
if (SERVERS.length === 0) it.skip('replies of COMMIT that are lost', () => undefined);

it.each(SERVERS)(
  `$name: ${String(LOST)} replies of COMMIT that are lost double nothing, lose nothing and stop nothing (COLLOQUY_TEST_SEED=${String(SEED)})`,
  async (engine) => {
    const begun = performance.now();
    const found = await loseCommits(engine, LOST, SEED);
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    console.info(`${engine.name}, seed ${String(SEED)}, ${seconds} s: ${JSON.stringify(found)}`);
    expect(found).toMatchObject({ swallowed: LOST, failed: {}, doubled: 0, lost: 0, hung: 0 });
  },
);
