import { describe, it } from 'vitest';
import { freshUrl } from '../support/engine-under-test.js';
import { loseNoUpdate } from '../support/lost-updates.js';

/** How many rows they change, and how often; 200 times each take minutes on a server, and are a long test. */
const ROUNDS = [
  [1, 40],
  [2, 40],
  [100, 5],
] as const;

describe('two writers who have read the same rows', () => {
  it.each(ROUNDS)(
    'and change %i of them, %i times: exactly one wins, and wins every row',
    { timeout: 300_000 },
    async (size, rounds) => loseNoUpdate(await freshUrl(), size, rounds),
  );
});
