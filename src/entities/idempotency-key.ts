import { OptionalProps } from '@mikro-orm/core';
import { Entity, Index, Property, Unique } from '@mikro-orm/decorators/legacy';
import { EXTERNAL_ID_MAX, IsExternalId, IsHash, IsJsonObject, IsText } from './rules.js';
import { TenantOwned } from './tenant-owned.js';

/**
 * A request that made something, under the key that its caller gave it. It holds nothing of what the request said but a hash, and of
 * the first result what the request did not say, such as ids and times.
 */
@Entity({ tableName: 'idempotency_keys' })
@Unique({ name: 'idempotency_keys_operation_unique', properties: ['tenant', 'operation', 'idempotencyKey'] })
@Index({ name: 'idempotency_keys_created_index', properties: ['tenant', 'createdAt'] })
export class IdempotencyKey extends TenantOwned {
  [OptionalProps]?: 'tenant' | 'createdAt' | 'updatedAt' | 'result';

  /** What was called, such as `users.create`: one key may name a request of each operation. */
  @Property({ type: 'string', length: 64 })
  @IsText({ max: 64 })
  operation!: string;

  @Property({ type: 'string', length: EXTERNAL_ID_MAX })
  @IsExternalId()
  idempotencyKey!: string;

  /** SHA-256 of the request as it was given, in hexadecimal digits. */
  @Property({ type: 'string', length: 64 })
  @IsHash()
  digest!: string;

  /** The properties of the first result that are not equal to the request's own. */
  @Property({ type: 'json' })
  @IsJsonObject()
  result: Record<string, unknown> = {};
}
