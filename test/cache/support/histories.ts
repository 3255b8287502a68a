import * as fc from 'fast-check';
import { type Action, type History, type Plant, play } from './cache-model.js';
import type { Fate } from './simulated-world.js';

const process = fc.nat(2);
const key = fc.nat(1);

/** Most of what happens is reads and writes, or nothing would be cached when something breaks. */
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('read' as const), process, key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('readMany' as const), process, key }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), process, key }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'heal' as const, 'crash' as const), process }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), keepsSaved: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'save' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.constantFrom(50, 900, 6_000) }),
  },
);

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 12, arbitrary: fc.constant('answered' as const) },
  { weight: 1, arbitrary: fc.constantFrom('never sent', 'answer lost', 'late') },
);

const history: fc.Arbitrary<History> = fc.record({
  consistency: fc.constantFrom('strong', 'eventual'),
  processes: fc.integer({ min: 2, max: 3 }),
  keys: fc.integer({ min: 1, max: 2 }),
  actions: fc.array(action, { minLength: 3, maxLength: 14 }),
  fates: fc.array(fate, { maxLength: 20 }),
  byTag: fc.boolean(),
});

/** Plays so many histories, each in an order of its own, and gives what fast-check says of them. */
export async function playHistories(runs: number, seed: number, plant?: Plant) {
  return fc.check(
    fc.asyncProperty(fc.scheduler(), history, async (scheduler, given) => {
      const wrong = await play(scheduler, plant ? { ...given, plant } : given);
      if (wrong.length > 0) throw new Error(wrong.join('; '));
    }),
    { numRuns: runs, seed, endOnFailure: plant !== undefined },
  );
}
