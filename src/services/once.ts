import type { EntityClass } from '@mikro-orm/core';
import type { TenantOwned } from '../entities/tenant-owned.js';
import { IdempotencyConflictError } from '../errors.js';
import { parseJson } from '../json.js';
import { compiledTableOf, type Row } from '../repositories/compiled-table.js';
import { IdempotencyKeyRepository } from '../repositories/idempotency-key.repository.js';
import { requestDigest } from './request-digest.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface CreateOptions {
  /**
   * Names the request: the same key in the same tenant, given to the same method, returns the first result and writes nothing, for at
   * least 24 hours; IdempotencyConflictError when the request is another one. A call under a key whose outcome is unknown is repeated
   * by itself a few times. Without a key, every call makes something.
   */
  readonly idempotencyKey?: string | undefined;
}

/** A call that makes a row, or adds to one. */
export interface CreatingCall<Entity extends TenantOwned> extends CreateOptions {
  readonly entity: EntityClass<Entity>;
  /** Service and method, such as `users.create`. A name, once released, is never changed. */
  readonly operation: string;
  /** What the caller gave. */
  readonly input: object;
}

/**
 * Runs `make` in the unit of work, unless a call under the same key did: then its result is given again, and nothing is written. Key and
 * row are committed together.
 *
 * @throws IdempotencyConflictError when the key was used for another request, ValidationError when it can be none.
 */
export async function once<Entity extends TenantOwned, Result extends Partial<Row<Entity>>>(
  unit: UnitOfWork,
  { entity, operation, input, idempotencyKey }: CreatingCall<Entity>,
  make: () => Promise<Result>,
): Promise<Result> {
  if (idempotencyKey === undefined || idempotencyKey === null) return make();
  const keys = new IdempotencyKeyRepository(unit.em);
  const request = { operation, idempotencyKey };
  const digest = requestDigest(input);
  const first = await keys.readFirst(request);
  if (first) {
    if (first.digest !== digest) throw new IdempotencyConflictError(idempotencyKey, 'request');
    const said = parseJson(JSON.stringify(input)) as Record<string, unknown>;
    return compiledTableOf(unit.em, entity).fromJson({ ...said, ...first.result }) as Result;
  }
  await keys.forgetSome();
  const claimed = await keys.claim(request, digest);
  const result = await make();
  claimed.result = unsaid(result, input);
  await unit.flush();
  return result;
}

/** What a result has beyond the request: the request's own words need not be kept a second time. */
function unsaid(result: object, input: object): Record<string, unknown> {
  const said = input as Readonly<Record<string, unknown>>;
  const beyond = Object.entries(result).filter(
    ([property, value]) => JSON.stringify(value) !== JSON.stringify(said[property]),
  );
  return parseJson(JSON.stringify(Object.fromEntries(beyond))) as Record<string, unknown>;
}
