import { afterEach, expect, it, vi } from 'vitest';
import type { Pool } from 'pg';
import { open } from '../support/conformance.js';
import { SERVERS } from '../support/engines.js';
import { createGate } from '../support/gate.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';

const server = SERVERS.find(({ name }) => name === 'postgresql');

afterEach(() => {
  vi.useRealTimers();
});

async function poolOf(persistence: PersistenceManager): Promise<Pool> {
  const connection = persistence.orm.em.getConnection() as unknown as { getNativeClient(): Promise<Pool> };
  return connection.getNativeClient();
}

/** How many connections there are while 30 callers work at once, and after a day without work. */
async function connections(parameters: string): Promise<{ readonly busy: number; readonly unused: number }> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const persistence = await open(`${(await server?.freshUrl()) ?? ''}${parameters}`);
  const pool = await poolOf(persistence);
  const gate = createGate();
  const statement = () => persistence.transaction(async () => gate.opened);
  const calls = Array.from({ length: 30 }, statement);
  await vi.waitFor(() => expect(pool.waitingCount).toBe(30 - pool.options.max));
  const busy = pool.totalCount;
  gate.open();
  await Promise.all(calls);
  vi.advanceTimersByTime(86_400_000);
  return { busy, unused: pool.totalCount };
}

it.skipIf(!server).each([
  ['', { busy: 25, unused: 5 }],
  ['?poolSize=3', { busy: 3, unused: 3 }],
  ['?poolSize=10&poolIdle=0', { busy: 10, unused: 0 }],
  ['?poolSize=10&poolIdle=7&idleTimeout=0', { busy: 10, unused: 10 }],
])('a pool with %j grows to its size and shrinks to what may stay unused', async (parameters, counts) => {
  expect(await connections(parameters)).toEqual(counts);
});
