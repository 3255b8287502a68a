import type { SqlEntityManager } from '@mikro-orm/sql';
import { isStorable } from '../entities/rules.js';
import { UsageRecord } from '../entities/usage-record.js';
import { User } from '../entities/user.js';
import { textKey } from './allowed-properties.js';
import type { Row } from './compiled-table.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

/** What identifies one record of usage. */
export interface UsageKey {
  /** The tenant itself where it is null. */
  readonly userId: string | null;
  readonly day: string;
  readonly provider: string;
  readonly model: string;
}

/** The `subject` of records that belong to no user. */
const TENANT_SUBJECT = 'tenant';

export class UsageRepository extends TenantOwnedRepository<UsageRecord> {
  constructor(em: SqlEntityManager) {
    super(em, UsageRecord);
  }

  /** The record of the key, managed, and locked until the transaction ends; a new one with nothing used where there is none. */
  async obtain(key: UsageKey): Promise<UsageRecord> {
    const { day, provider, model, userId } = key;
    const subject = userId ?? TENANT_SUBJECT;
    const where = { tenant: this.tenantId, day, subject, provider, model };
    // What cannot be stored is not there; the rules refuse it by name.
    const found = [day, provider, model].every(isStorable) ? await this.findOne(where, this.lock) : null;
    if (found) return found;
    const user =
      userId === null
        ? null
        : this.em.getReference(User, [this.tenantId, textKey('UsageRecord', 'userId', userId)], { wrapped: true });
    return this.create({ day, subject, provider, model, user });
  }

  /** Records of the days `from` to `to`, both included, in the order of days. */
  async readDays(from: string, to: string): Promise<Row<UsageRecord>[]> {
    const day = this.table.column('day');
    return this.readWhere(`${day} >= ? and ${day} <= ?`, [from, to], `order by ${day}, ${this.table.column('id')}`);
  }
}
