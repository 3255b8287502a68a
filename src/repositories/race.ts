import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { TransactionConflictError } from '../errors.js';

/** A part of the name of every unique constraint of idempotency keys. */
export const IDEMPOTENCY_KEY = 'idempotency_key';

/** Whether somebody else has just taken a key: that of a unique constraint whose name has the part. */
export function hasLostKey(error: unknown, constraint: string): boolean {
  return error instanceof UniqueConstraintViolationException && error.message.includes(constraint);
}

/**
 * Runs what writes a key that was looked up before and was free. That the key is taken now means that a concurrent transaction took
 * it meanwhile: the unit of work is to be run again, and finds it then.
 *
 * @param constraint The part of the unique constraint's name that tells it from others; any of them unless given.
 * @throws TransactionConflictError
 */
export async function writeFreeKey<T>(write: () => Promise<T>, constraint = ''): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw hasLostKey(error, constraint) ? new TransactionConflictError({ cause: error }) : error;
  }
}
