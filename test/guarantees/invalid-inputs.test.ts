import { describe, expect, it } from 'vitest';
import { freshUrl } from '../support/engine-under-test.js';
import { EVERY_RULE } from '../support/inputs/faults.js';
import { FAULTY_PATHS } from '../support/inputs/faulty-paths.js';
import { expectRefused, SEED } from '../support/inputs/refuse-faults.js';
import { useSharedWorld } from '../support/shared-world.js';

const RUNS = Math.ceil(2_000 / FAULTY_PATHS.length);
const world = useSharedWorld(freshUrl);

describe(`one wrong value among right ones is refused by its path and rule (COLLOQUY_TEST_SEED=${String(SEED)})`, () => {
  it.each(FAULTY_PATHS.map((path) => [path.name, path] as const))('by %s', async (_name, path) => {
    await expectRefused(world(), path, RUNS);
  });
});

it('every rule of every entity is broken by some path', () => {
  const untried = EVERY_RULE.filter((rule) => !FAULTY_PATHS.some(({ takes }) => takes(rule)));
  expect(untried).toEqual([]);
});
