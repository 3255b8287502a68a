import { expect } from 'vitest';
import { User } from '../../src/entities/user.js';
import { TransactionConflictError } from '../../src/errors.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { createGate } from './gate.js';
import { openAcme, openManager } from './open-manager.js';

/** Reads the rows by the ORM itself, waits until the other writer has read them too, and changes them all in one flush. */
async function change(persistence: PersistenceManager, ids: readonly string[], by: string, meet: () => Promise<void>) {
  const { id: tenantId } = await persistence.tenants.get('acme');
  await persistence.withEntityManager(async (em) => {
    em.setFilterParams('tenant', { tenantId });
    const users = await em.find(User, { id: { $in: [...ids] } });
    await meet();
    for (const user of users) user.nickname = by;
    await em.flush();
  });
  return by;
}

/** Two writers read the same rows and change them all, so many times: exactly one wins, and wins every row. */
export async function loseNoUpdate(url: string, size: number, rounds: number): Promise<void> {
  const { persistence: one, tenant } = await openAcme({ url });
  const { persistence: two } = await openManager({ url, seed: 2 });
  const ids: string[] = [];
  for (let index = 0; index < size; index++) {
    const name = `u-${String(index)}`;
    ids.push((await tenant.users.create({ externalId: name, username: name })).id);
  }
  for (let round = 1; round <= rounds; round++) {
    const gates = [createGate(), createGate()];
    const meeting = (own: number) => async () => {
      gates[own]?.open();
      await Promise.all(gates.map(({ opened }) => opened));
    };
    const outcomes = await Promise.allSettled([
      change(one, ids, `one-${String(round)}`, meeting(0)),
      change(two, ids.toReversed(), `two-${String(round)}`, meeting(1)),
    ]);
    const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(winners).toHaveLength(1);
    expect(errors).toHaveLength(1);
    // They change the rows in opposite orders: a server may also end one of them for a deadlock.
    if (errors[0] instanceof TransactionConflictError) expect(url.startsWith('sqlite:') || size === 1).toBe(false);
    else expect(errors[0]).toMatchObject({ code: 'VERSION_CONFLICT', current: round + 1 });
    const rows = (await tenant.users.list({ limit: 200 })).items.filter(({ id }) => ids.includes(id));
    expect(new Set(rows.map(({ nickname, version }) => `${nickname ?? ''} ${String(version)}`))).toEqual(
      new Set([`${winners[0] ?? ''} ${String(round + 1)}`]),
    );
  }
}
