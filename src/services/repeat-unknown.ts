import { setTimeout as delay } from 'node:timers/promises';
import { ColloquyError, OutcomeUnknownError } from '../errors.js';

/** How often it is run again at most, and the longest wait before the first time, in milliseconds; each next one may be twice as long. */
const REPEATS_MAX = 4;
const FIRST_WAIT_MAX = 100;

/** What is thrown before it can be seen whether an earlier run was committed. */
const SAYS_NOTHING = /^(?:OUTCOME_UNKNOWN|TRANSACTION_CONFLICT|TENANT_SUSPENDED|TENANT_DELETED|DATABASE_.*)$/;

/** What it takes of the world around it. */
export interface RepeatSources {
  readonly translateError: (error: unknown) => unknown;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/**
 * Runs a transaction that may be committed twice, as one under an idempotency key, until a run tells what became of it:
 *
 *     run ──> result, or an error that is none of the connection's ──> the caller
 *      ^ └──> outcome unknown ──> wait ──> run; from then on also after whatever says nothing of the run before
 *
 * A run that does not get as far as the key says nothing of the one before: what is thrown in the end is that the outcome is unknown,
 * after 1.5 seconds of waiting at most.
 */
export async function repeatUnknown<T>(run: () => Promise<T>, { translateError, random }: RepeatSources): Promise<T> {
  let unknown: unknown;
  for (let repeats = 0; ; repeats++) {
    try {
      return await run();
    } catch (error) {
      const told = translateError(error);
      if (told instanceof OutcomeUnknownError) unknown ??= error;
      if (unknown === undefined || !(told instanceof ColloquyError) || !SAYS_NOTHING.test(told.code)) throw error;
      if (repeats === REPEATS_MAX) throw unknown;
      await delay(FIRST_WAIT_MAX * 2 ** repeats * random());
    }
  }
}
