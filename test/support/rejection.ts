import { expect } from 'vitest';
import type { ColloquyError, ValidationError, ValidationIssue } from '../../src/errors.js';

type ErrorClass<E> = abstract new (...parameters: never[]) => E;

/** The error of a call that must fail with one of Colloquy's own. */
export async function rejectionOf<E extends ColloquyError>(call: Promise<unknown>, kind: ErrorClass<E>): Promise<E> {
  const error: unknown = await call.then(
    () => new Error(`resolved, where ${kind.name} was due`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(kind);
  return error as E;
}

/** The issues of a validation error, as `path rule` pairs in order. */
export function brokenRules({ issues }: ValidationError): string[] {
  return issues.map(({ path, rule }: ValidationIssue) => `${path} ${rule}`).toSorted();
}
