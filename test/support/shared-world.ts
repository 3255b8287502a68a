import type { EventSubscriber } from '@mikro-orm/core';
import { afterAll, beforeAll } from 'vitest';
import type { UnitOfWork } from '../../src/services/unit-of-work.js';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { connectRaw } from './raw-rows.js';
import { fakeClock, seededRandom } from './sources.js';
import { type Furnished, furnish } from './furnish.js';

/** One database for a whole file of tests: a tenant beta that nobody may touch, and as many others as are asked for. */
export interface SharedWorld {
  readonly persistence: PersistenceManager;
  readonly beta: Furnished;
  /** A tenant of its own, with one row of every kind. */
  readonly anotherTenant: () => Promise<Furnished>;
  /** Every row of a tenant as the database has it, asked for beside the library. */
  readonly rowsOf: (tenantId: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

export async function openSharedWorld(url: string): Promise<SharedWorld> {
  const persistence = await PersistenceManager.open({ databaseUrl: url, clock: fakeClock(), random: seededRandom(1) });
  // A month of it is counted.
  await persistence.tenants.ensure({ slug: 'beta', name: 'Tenant beta', quota: { messagesPerMonth: 1_000_000 } });
  const beta = await furnish(persistence, 'beta');
  await beta.tenant.usage.add({ provider: 'openai', model: 'beta' }, { idempotencyKey: 'beta-request' });
  const secret = { role: 'user', content: 'secret of beta, of a request' } as const;
  await beta.tenant.messages.append(beta.conversationId, secret, { idempotencyKey: 'beta-request' });
  await beta.tenant.users.update(beta.userId, { email: 'beta@example.com' });
  const tables = [
    ...[...persistence.orm.getMetadata().getAll().values()].map(({ tableName }) => [tableName, 'id'] as const),
    // What is no entity.
    ['quota_months', 'month'] as const,
    ['document_terms', 'document_id'] as const,
  ];
  let tenants = 0;
  const connection = await connectRaw(url);
  return {
    persistence,
    beta,
    anotherTenant: () => furnish(persistence, `acme-${String((tenants += 1))}`),
    rowsOf: async (tenantId) => {
      const rows: unknown[] = [];
      for (const [table, order] of tables) {
        const key = table === 'tenants' ? 'id' : 'tenant_id';
        rows.push(
          table,
          await connection.rows(`select * from ${table} where ${key} = '${tenantId}' order by ${order}`),
        );
      }
      return JSON.stringify(rows, null, 1);
    },
    close: async () => {
      await connection.close();
      await persistence.close();
    },
  };
}

/** {@link openSharedWorld} before the first test of the file, closed after the last. */
export function useSharedWorld(freshUrl: () => Promise<string>): () => SharedWorld {
  let world: SharedWorld | undefined;
  beforeAll(async () => {
    world = await openSharedWorld(await freshUrl());
  });
  afterAll(async () => world?.close());
  return () => {
    if (!world) throw new Error('The world begins with the first test.');
    return world;
  };
}

/** Registers a subscriber of MikroORM, which knows no way to take it back, and silences it when `work` is done. */
export async function withSubscriber<T>(
  { em }: Pick<UnitOfWork, 'em'>,
  subscriber: EventSubscriber<object>,
  work: () => Promise<T>,
): Promise<T> {
  let isSilent = false;
  const listening = Object.entries(subscriber).map(([event, listen]: [string, (args: never) => unknown]) => [
    event,
    (args: never) => (isSilent ? undefined : listen(args)),
  ]);
  em.getEventManager().registerSubscriber(Object.fromEntries(listening) as EventSubscriber<object>);
  try {
    return await work();
  } finally {
    isSilent = true;
  }
}
