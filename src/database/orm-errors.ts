import { ValidationError as OrmValidationError } from '@mikro-orm/core';
import { ColloquyError, ValidationError } from '../errors.js';
import { ruleBrokenInDatabase } from '../messages/broken-rule.js';

/**
 * What MikroORM itself refuses, on every engine, as one of `errors.ts`, and such an error as it is; undefined for what is the engine's
 * to translate.
 */
export function translateOrmError(error: unknown): ColloquyError | undefined {
  if (error instanceof ColloquyError) return error;
  return error instanceof OrmValidationError ? wrongKind(error) : undefined;
}

/** What MikroORM refuses before any rule is asked; its message shows the value, ours does not. */
function wrongKind(error: OrmValidationError): ValidationError {
  const [, entity = 'The entity', path = 'value'] = /(\w+)\.(\w+)/.exec(error.message) ?? [];
  return new ValidationError(entity, [ruleBrokenInDatabase(path, 'type')]);
}
