import { describe, expect, it } from 'vitest';
import {
  AlreadyExistsError,
  type ColloquyError,
  DatabaseLockedError,
  DatabaseUnavailableError,
  IdempotencyConflictError,
  OutcomeUnknownError,
  TenantDeletedError,
  TenantSuspendedError,
  TransactionConflictError,
} from '../src/errors.js';
import { repeatUnknown } from '../src/services/repeat-unknown.js';

const UNKNOWN = new OutcomeUnknownError();
const AWAY = new DatabaseUnavailableError('x', 'ECONNREFUSED');
const TAKEN = new AlreadyExistsError('users.external_id');
const OTHER = new IdempotencyConflictError('k', 'request');
const BUG = new RangeError('a bug');
const translate = (error: unknown): unknown => (error as Error).cause ?? error;

/** Fails so each time it runs, and resolves when no failure is left. */
async function outcomeOf(failures: readonly (ColloquyError | Error)[]): Promise<{ runs: number; outcome: unknown }> {
  const left = [...failures];
  let runs = 0;
  const run = async (): Promise<string> => {
    runs += 1;
    const failure = left.shift();
    // As the driver's own, for the engine to translate.
    if (failure) throw new Error('native', { cause: failure });
    return 'the result';
  };
  const call = repeatUnknown(run, { translateError: translate, random: () => 0 });
  return { outcome: await call.catch(translate), runs };
}

describe('what may be run again', () => {
  it.each([
    ['is run once when it resolves', [], 1, 'the result'],
    ['is not run again when it failed, and that is known', [TAKEN], 1, TAKEN],
    ['is not run again when the database was away from the beginning', [AWAY], 1, AWAY],
    ['is run again when its outcome is unknown', [UNKNOWN], 2, 'the result'],
    ['is run again until it is known', [UNKNOWN, UNKNOWN, AWAY, UNKNOWN], 5, 'the result'],
    ['is run five times at most', [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN], 5, UNKNOWN],
    ['stays unknown when the database is away from then on', [UNKNOWN, AWAY, AWAY, AWAY, AWAY], 5, UNKNOWN],
    ['ends when the second run has seen that the first wrote nothing', [UNKNOWN, TAKEN], 2, TAKEN],
    ['ends when the key is another request’s', [UNKNOWN, AWAY, OTHER], 3, OTHER],
    ['ends when it fails otherwise', [UNKNOWN, BUG], 2, BUG],
  ])('%s', async (_what, failures, runs, outcome) => {
    expect(await outcomeOf(failures)).toEqual({ runs, outcome });
  });

  it.each([
    new DatabaseLockedError(),
    new TransactionConflictError(),
    new TenantSuspendedError('acme'),
    new TenantDeletedError('acme'),
  ])('learns nothing of the first run from $code', async (failure) => {
    expect(await outcomeOf([UNKNOWN, failure])).toEqual({ runs: 3, outcome: 'the result' });
    expect(await outcomeOf([UNKNOWN, ...Array.from({ length: 4 }, () => failure)])).toEqual({
      runs: 5,
      outcome: UNKNOWN,
    });
  });
});
