import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Conversation } from '../entities/conversation.js';
import { Document } from '../entities/document.js';
import { Message } from '../entities/message.js';
import type { QuotaName, TenantQuota } from '../entities/quota.js';
import { User } from '../entities/user.js';
import { NotFoundError, QuotaExceededError, TenantDeletedError, TenantSuspendedError } from '../errors.js';
import { parseJson } from '../json.js';
import type { Change } from '../repositories/change-capture.js';
import { type Counted, holdTenant, QuotaCounter } from '../repositories/quota-counter.js';
import { runtimeOf } from '../runtime.js';

interface Limit {
  readonly quota: QuotaName;
  /** Whose new rows, or larger ones, count. */
  readonly entity: EntityClass<object>;
  readonly count: (counter: QuotaCounter, month: Counted) => number | Promise<number>;
}

const LIMITS: readonly Limit[] = [
  { quota: 'users', entity: User, count: (counter) => counter.users() },
  { quota: 'conversations', entity: Conversation, count: (counter) => counter.conversations() },
  { quota: 'messagesPerMonth', entity: Message, count: (_counter, { messages }) => messages },
  { quota: 'tokensPerMonth', entity: Message, count: (_counter, { tokens }) => tokens },
  { quota: 'storageBytes', entity: Document, count: (counter) => counter.storageBytes() },
];

/**
 * A tenant in a transaction that writes its rows. Its state is looked at when the first unit of work of the tenant begins; what it may
 * have is looked at in the end, when everything has been written and nobody need wait long for the counter's lock.
 */
export class TenantWrite {
  readonly #slug: string;
  readonly #quota: TenantQuota;
  readonly #written = new Set<unknown>();
  readonly #messageIds: string[] = [];

  private constructor(slug: string, quota: TenantQuota) {
    this.#slug = slug;
    this.#quota = quota;
  }

  /** @throws TenantSuspendedError, TenantDeletedError, NotFoundError when there is no such tenant any more. */
  static async begin(em: SqlEntityManager, tenantId: string): Promise<TenantWrite> {
    const tenant = await holdTenant(em, tenantId);
    if (!tenant) throw new NotFoundError('tenant', tenantId);
    if (tenant.status === 'suspended') throw new TenantSuspendedError(tenant.slug);
    if (tenant.status === 'deleted') throw new TenantDeletedError(tenant.slug);
    const { quota } = tenant;
    return new TenantWrite(tenant.slug, (typeof quota === 'string' ? parseJson(quota) : quota) as TenantQuota);
  }

  note({ entity, type, ids = [] }: Change): void {
    if (type === 'delete' || (type === 'update' && entity !== Document)) return;
    this.#written.add(entity);
    if (entity === Message && this.#limitsMonth) this.#messageIds.push(...ids);
  }

  /** @throws QuotaExceededError when the tenant has more than it may, with what has been written; nothing of it is to be committed. */
  async settle(em: SqlEntityManager, tenantId: string): Promise<void> {
    const limited = LIMITS.filter(({ quota, entity }) => this.#quota[quota] !== undefined && this.#written.has(entity));
    if (limited.length === 0) return;
    const counter = new QuotaCounter(em, tenantId);
    // Also where no message was written: the lock is what makes the counts exact.
    const month = await counter.add(monthOf(em), await counter.sumOf(this.#messageIds));
    for (const { quota, count } of limited) {
      const needed = await count(counter, month);
      const limit = this.#quota[quota] ?? Number.POSITIVE_INFINITY;
      if (needed > limit) throw new QuotaExceededError(this.#slug, quota, limit, needed);
    }
  }

  get #limitsMonth(): boolean {
    return this.#quota.messagesPerMonth !== undefined || this.#quota.tokensPerMonth !== undefined;
  }
}

/** `YYYY-MM`, UTC. */
function monthOf(em: SqlEntityManager): string {
  return runtimeOf(em).clock.now().toISOString().slice(0, 7);
}
