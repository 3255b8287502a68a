import { describe, expect, it } from 'vitest';
import { TransactionConflictError } from '../../src/errors.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { freshUrl, isSqlite } from '../support/engine-under-test.js';
import { createGate } from '../support/gate.js';
import { openAcme, openManager } from '../support/open-manager.js';

/** How many rows they change, and how often; 100 rows 200 times take minutes on a server. */
const ROUNDS = [
  [1, 200],
  [2, 200],
  [100, 20],
] as const;

/** Reads the rows in a unit of work of its own, waits until the other writer has read them too, and changes them all. */
async function change(persistence: PersistenceManager, ids: readonly string[], by: string, meet: () => Promise<void>) {
  await persistence.tenant('acme').read(async (unit) => {
    const users = await Promise.all(ids.map((id) => unit.users.get(id)));
    await meet();
    for (const user of users) user.nickname = by;
    await unit.flush();
  });
  return by;
}

describe('two writers who have read the same rows', () => {
  it.each(ROUNDS)(
    'and change %i of them, %i times: exactly one wins, and wins every row',
    { timeout: 300_000 },
    async (size, rounds) => {
      const url = await freshUrl();
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
        const errors = outcomes.flatMap((outcome) =>
          outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
        );
        expect(winners).toHaveLength(1);
        expect(errors).toHaveLength(1);
        // They change the rows in opposite orders: a server may also end one of them for a deadlock.
        if (errors[0] instanceof TransactionConflictError) expect(isSqlite || size === 1).toBe(false);
        else expect(errors[0]).toMatchObject({ code: 'VERSION_CONFLICT', current: round + 1 });
        const rows = (await tenant.users.list({ limit: 200 })).items.filter(({ id }) => ids.includes(id));
        expect(new Set(rows.map(({ nickname, version }) => `${nickname ?? ''} ${String(version)}`))).toEqual(
          new Set([`${winners[0] ?? ''} ${String(round + 1)}`]),
        );
      }
    },
  );
});
