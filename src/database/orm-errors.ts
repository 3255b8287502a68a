import { DriverException, ValidationError as OrmValidationError } from '@mikro-orm/core';
import { ColloquyError, StatementRefusedError, ValidationError } from '../errors.js';
import { ruleBrokenInDatabase } from '../messages/broken-rule.js';

/**
 * What MikroORM itself refuses, on every engine, as one of `errors.ts`, and such an error as it is; undefined for what is the engine's
 * to translate.
 */
export function translateOrmError(error: unknown): ColloquyError | undefined {
  if (error instanceof ColloquyError) return error;
  if (error instanceof DriverException && (error.code as string) === 'STATEMENT_REFUSED') {
    // MikroORM makes an exception of its own of what our platform throws, with the same fields.
    const { statement, reason } = error as unknown as StatementRefusedError;
    return new StatementRefusedError(statement, reason);
  }
  if (error instanceof OrmValidationError) return wrongKind(error);
  return error instanceof Error ? unknownPart(error) : undefined;
}

/** What MikroORM refuses before any rule is asked; its message shows the value, ours does not. */
function wrongKind(error: OrmValidationError): ValidationError {
  const [, entity = 'The entity', path = 'value'] = /(\w+)\.(\w+)/.exec(error.message) ?? [];
  return new ValidationError(entity, [ruleBrokenInDatabase(path, 'type')]);
}

/** A condition or an order that names what is not there, which may be what somebody outside has asked for. */
function unknownPart({ message }: Error): ValidationError | undefined {
  const property = /^Trying to (?:query|order) by not existing property (\w+)\.(.+)$/s.exec(message);
  const [, entity, path] = property ?? [];
  if (entity !== undefined && path !== undefined) {
    return new ValidationError(entity, [ruleBrokenInDatabase(path, 'type')]);
  }
  const [, part] = /^Invalid (order direction|collation name): /.exec(message) ?? [];
  return part === undefined ? undefined : new ValidationError('The request', [ruleBrokenInDatabase(part, 'type')]);
}
