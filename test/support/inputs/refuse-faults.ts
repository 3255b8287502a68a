import * as fc from 'fast-check';
import { expect } from 'vitest';
import { ValidationError } from '../../../src/errors.js';
import type { SharedWorld } from '../shared-world.js';
import { faults } from './faults.js';
import type { FaultyPath } from './faulty-paths.js';

/** Seeds differ from run to run; one that failed is given again in COLLOQUY_TEST_SEED. */
export const SEED = Number(process.env['COLLOQUY_TEST_SEED'] ?? Date.now() % 1_000_000);

/** Tries `runs` faults by one path: each is refused with an error that names it, and nothing is written. */
export async function expectRefused(world: SharedWorld, path: FaultyPath, runs: number): Promise<void> {
  const acme = await world.anotherTenant();
  const before = [await world.persistence.stats(), await world.rowsOf(acme.tenantId)];
  const arbitrary = faults(path.takes).filter(path.isWrong ?? (() => true));
  const refused = fc.asyncProperty(arbitrary, async (fault) => {
    const error: unknown = await path.write({ persistence: world.persistence, acme }, fault).then(
      () => new Error('It was written.'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof ValidationError)) throw error;
    const { property, rule } = fault;
    const named = error.issues.map((issue) => `${issue.path} ${issue.rule}`);
    expect(named).toContain(`${path.prefix ?? ''}${property} ${rule}`);
  });
  await fc.assert(refused, { numRuns: runs, seed: SEED });
  expect([await world.persistence.stats(), await world.rowsOf(acme.tenantId)]).toEqual(before);
}
