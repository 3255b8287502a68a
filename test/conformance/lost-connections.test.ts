import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { runStatement } from '../../src/repositories/statement.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { type Chat, codeOf, openChat } from '../support/conformance.js';
import { directUrl, SERVERS, withParameter } from '../support/engines.js';
import { serverOf } from '../support/faulty-servers.js';
import { createGate } from '../support/gate.js';
import { rawRows } from '../support/raw-rows.js';

// A file without tests is an error.
if (SERVERS.length === 0) it.skip('a server that drops connections', () => undefined);

const FAILURES = new Set(['DATABASE_UNAVAILABLE', 'OUTCOME_UNKNOWN']);
const MESSAGE = { role: 'user', content: 'x' } as const;

interface Written {
  /** How many messages the callers were told are stored. */
  readonly acknowledged: number;
  /** What the other calls failed with. */
  readonly codes: ReadonlySet<string>;
}

/** Runs `meanwhile` while so many callers append, one message after the other; nothing may be thrown where nobody catches it. */
async function withWriters(
  { acme, chatId }: Chat,
  writers: number,
  meanwhile: (acknowledged: () => number) => Promise<void>,
): Promise<Written> {
  const unhandled: unknown[] = [];
  const remember = (error: unknown): unknown => unhandled.push(error);
  process.on('uncaughtException', remember);
  const over = new AbortController();
  const codes = new Set<string>();
  let acknowledged = 0;
  const write = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const code = await codeOf(acme.messages.append(chatId, MESSAGE));
      if (code === 'resolved') acknowledged += 1;
      else codes.add(code);
    }
  };
  const calls = Array.from({ length: writers }, write);
  try {
    await meanwhile(() => acknowledged);
  } finally {
    over.abort();
    await Promise.all(calls);
    process.off('uncaughtException', remember);
  }
  expect(unhandled).toEqual([]);
  return { acknowledged, codes };
}

/** Every acknowledged message is there, and the numbers are dense. */
async function expectSound({ acme, chatId }: Chat, acknowledged: number): Promise<void> {
  const { messageCount } = await acme.conversations.get(chatId);
  expect(messageCount).toBeGreaterThanOrEqual(acknowledged);
  let last = 0;
  for (;;) {
    const part = await acme.messages.history(chatId, { after: last, limit: 10_000 });
    expect(part.every(({ seq }, index) => seq === last + index + 1)).toBe(true);
    if (part.length === 0) break;
    last += part.length;
  }
  expect(last).toBe(messageCount);
}

/** As many transactions at once as the pool has places: each waits for the others, so one place that is lost would stop them. */
async function useWholePool(acme: TenantContext, places: number): Promise<void> {
  const all = createGate();
  let begun = 0;
  const hold = () =>
    acme.transaction(async ({ users }) => {
      await users.countRows();
      begun += 1;
      if (begun === places) all.open();
      await all.opened;
    });
  await Promise.all(Array.from({ length: places }, hold));
}

describe.each(SERVERS)('$name: connections that the server drops', ({ name, freshUrl }) => {
  /** Ends every connection of Colloquy to the database, as a server does that restarts. */
  const dropConnections = async (url: string): Promise<number> => serverOf(name).endConnections(url, 1_000, 0);

  it('fail the calls under way, and no later one', async () => {
    const url = await freshUrl();
    const chat = await openChat(withParameter(url, 'poolSize', '4'));
    const { acknowledged, codes } = await withWriters(chat, 8, async () => {
      let dropped = 0;
      while (dropped < 20) dropped += await dropConnections(url);
    });
    expect(codes.size).toBeGreaterThan(0);
    expect([...codes].filter((code) => !FAILURES.has(code))).toEqual([]);
    await expectSound(chat, acknowledged);
    await useWholePool(chat.acme, 4);
  });

  it('cost a call each at most, when nobody used them', async () => {
    const url = await freshUrl();
    const { acme, chatId } = await openChat(withParameter(url, 'poolSize', '4'));
    await useWholePool(acme, 4);
    expect(await dropConnections(url)).toBe(4);
    const codes: string[] = [];
    while (codes.at(-1) !== 'resolved') codes.push(await codeOf(acme.messages.append(chatId, MESSAGE)));
    expect(codes.slice(0, -1).filter((code) => code !== 'DATABASE_UNAVAILABLE')).toEqual([]);
    expect(codes.length).toBeLessThanOrEqual(5);
    await useWholePool(acme, 4);
  });

  it('fail the statement that is running, and no later one', async () => {
    const url = await freshUrl();
    const { persistence, acme, chatId } = await openChat(withParameter(url, 'poolSize', '1'));
    const { sleep, sleepers } = serverOf(name);
    const call = codeOf(persistence.withEntityManager((em) => em.execute(sleep(60))));
    while ((await rawRows(directUrl(url), sleepers)).length === 0);
    await dropConnections(url);
    expect(await call).toBe('DATABASE_UNAVAILABLE');
    expect(await codeOf(acme.messages.append(chatId, MESSAGE))).toBe('resolved');
  });

  it('fail a unit of work whose connection went between its statements, with nothing written', async () => {
    const url = await freshUrl();
    const { acme, chatId } = await openChat(url);
    const call = acme.transaction(async () => {
      await acme.messages.append(chatId, { role: 'user', content: 'x' });
      await dropConnections(url);
    });
    expect(await codeOf(call)).toBe('DATABASE_UNAVAILABLE');
    expect(await acme.messages.history(chatId)).toEqual([]);
  });

  it('leave the outcome open when they go during a commit', async ({ skip }) => {
    skip(
      name === 'mariadb',
      'MariaDB ends no connection in the middle of a commit; lost-replies.test.ts loses the answer',
    );
    const url = await freshUrl();
    const { acme, chatId } = await openChat(url);
    await rawRows(
      url,
      `create function wait() returns trigger language plpgsql as 'begin perform pg_sleep(5); return null; end'`,
    );
    await rawRows(
      url,
      'create constraint trigger slow after insert on messages deferrable initially deferred for each row execute function wait()',
    );
    const code = codeOf(acme.messages.append(chatId, { role: 'user', content: 'x' }));
    // Nothing else sleeps there, and what is deferred runs in the commit.
    const committing = `select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
    while ((await rawRows(directUrl(url), committing)).length === 0);
    await dropConnections(url);
    expect(await code).toBe('OUTCOME_UNKNOWN');
  });

  it('are no reason to take the rollback of a failed transaction for a commit', async () => {
    const { acme, chatId } = await openChat(await freshUrl());
    const call = acme.transaction(async ({ em }) => {
      await acme.messages.append(chatId, { role: 'user', content: 'x' });
      await runStatement(em, 'select * from no_such_table').catch(() => undefined);
    });
    expect(await codeOf(call)).toBe('DATABASE_FAILED');
    expect(await acme.messages.history(chatId)).toEqual([]);
  });
});

const STOPPABLE = SERVERS.filter(({ name }) => name !== 'pgbouncer');

describe.skipIf(STOPPABLE.length === 0).each(STOPPABLE)('$name: a server that stops', ({ name }) => {
  const ways = ['fast', 'immediate'] as const;
  it.for(ways)('and starts again, by %s, three times, while 32 callers work', async (how, { skip }) => {
    const { start, noStart } = serverOf(name);
    skip(noStart !== undefined, noStart);
    const server = await start();
    onTestFinished(() => server.close());
    const chat = await openChat(withParameter(server.url(), 'poolSize', '8'));
    const { acknowledged, codes } = await withWriters(chat, 32, async (soFar) => {
      for (let round = 0; round < 3; round++) {
        const before = soFar();
        await vi.waitFor(() => expect(soFar()).toBeGreaterThan(before + 32), { timeout: 30_000 });
        await server.stop(how);
        await server.start();
      }
      const before = soFar();
      await vi.waitFor(() => expect(soFar()).toBeGreaterThan(before), { timeout: 30_000 });
    });
    expect(codes.size).toBeGreaterThan(0);
    expect([...codes].filter((code) => !FAILURES.has(code))).toEqual([]);
    await expectSound(chat, acknowledged);
    await useWholePool(chat.acme, 8);
  });
});
