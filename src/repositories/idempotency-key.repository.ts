import { LockMode } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { IdempotencyKey } from '../entities/idempotency-key.js';
import type { Row } from './compiled-table.js';
import { writeFreeKey } from './race.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

/** What a key names: the same one may name a request of each operation. */
export interface NamedRequest {
  readonly operation: string;
  readonly idempotencyKey: string;
}

/** 24 hours, and one for clocks that differ, in milliseconds: a key that is younger is never removed. */
const KEPT_MS = 25 * 3_600_000;
/** More than one, so that what has expired grows fewer with every new key; and so few that no call is slow for it. */
const FORGOTTEN_AT_ONCE = 4;

export class IdempotencyKeyRepository extends TenantOwnedRepository<IdempotencyKey> {
  constructor(em: SqlEntityManager) {
    super(em, IdempotencyKey);
  }

  /** What was kept of the first request under the key. @throws ValidationError when it cannot be a key. */
  async readFirst({ operation, idempotencyKey }: NamedRequest): Promise<Row<IdempotencyKey> | undefined> {
    this.rules.assert({ idempotencyKey }, new Set(['idempotencyKey']));
    const where = `${this.table.column('operation')} = ? and ${this.table.column('idempotencyKey')} = ?`;
    return this.readOne(where, [operation, idempotencyKey]);
  }

  /**
   * Takes a key that was looked up and is free, before anything else is written: a second caller waits here until the first has
   * committed, and does not meet what that one has made.
   *
   * @throws TransactionConflictError when somebody else has taken it meanwhile.
   */
  async claim({ operation, idempotencyKey }: NamedRequest, digest: string): Promise<IdempotencyKey> {
    const claimed = this.create({ operation, idempotencyKey, digest });
    await writeFreeKey(() => this.em.flush(), 'idempotency_keys');
    return claimed;
  }

  /** Removes a few of the tenant's keys that have expired, but none that a concurrent transaction is removing; the next flush writes it. */
  async forgetSome(): Promise<void> {
    const createdAt = { $lt: new Date(this.runtime.clock.now().getTime() - KEPT_MS) };
    const expired = await this.find(
      { createdAt },
      { orderBy: { createdAt: 'asc' }, limit: FORGOTTEN_AT_ONCE, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
    );
    for (const key of expired) this.em.remove(key);
  }
}
