import { afterAll, beforeAll, describe, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { FAULTY_PATHS } from '../support/inputs/faulty-paths.js';
import { expectRefused, SEED } from '../support/inputs/refuse-faults.js';
import { expectRoundTrip } from '../support/inputs/round-trip.js';
import { VALID_PATHS } from '../support/inputs/valid-paths.js';
import { openSharedWorld, type SharedWorld } from '../support/shared-world.js';

const INPUTS = Number(process.env['COLLOQUY_TEST_INPUTS'] ?? 20_000);

describe.each(ENGINES)('on $name', ({ name, freshUrl }) => {
  let world: SharedWorld;
  beforeAll(async () => {
    world = await openSharedWorld(await freshUrl());
  });
  afterAll(async () => world.close());

  const seeded = `COLLOQUY_TEST_SEED=${String(SEED)}`;

  it(`every one of ${String(INPUTS)} wrong values is refused by its path and rule (${seeded})`, async () => {
    const begun = performance.now();
    for (const path of FAULTY_PATHS) await expectRefused(world, path, Math.ceil(INPUTS / FAULTY_PATHS.length));
    console.info(`${name}: ${String(INPUTS)} refused in ${seconds(begun)} s, ${seeded}`);
  });

  it(`every one of ${String(INPUTS)} rows comes back as it was (${seeded})`, async () => {
    const begun = performance.now();
    for (const path of VALID_PATHS) await expectRoundTrip(world, path, Math.ceil(INPUTS / VALID_PATHS.length));
    console.info(`${name}: ${String(INPUTS)} kept in ${seconds(begun)} s, ${seeded}`);
  });
});

function seconds(begun: number): string {
  return ((performance.now() - begun) / 1000).toFixed(1);
}
