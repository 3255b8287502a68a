import { describe, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { loseNoUpdate } from '../support/lost-updates.js';

describe.each(ENGINES)('$name: two writers who have read the same rows', ({ freshUrl }) => {
  it.each([1, 2, 100])('and change %i of them, 200 times: exactly one wins, and wins every row', async (size) => {
    await loseNoUpdate(await freshUrl(), size, 200);
  });
});
