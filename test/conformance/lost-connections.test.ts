import { describe, expect, it, onTestFinished } from 'vitest';
import { runStatement } from '../../src/repositories/statement.js';
import { codeOf, openChat } from '../support/conformance.js';
import { SERVERS, withParameter } from '../support/engines.js';
import { serverOf } from '../support/faulty-servers.js';
import { rawRows } from '../support/raw-rows.js';

// A file without tests is an error.
if (SERVERS.length === 0) it.skip('a server that drops connections', () => undefined);

const FAILURES = new Set(['DATABASE_UNAVAILABLE', 'OUTCOME_UNKNOWN']);

describe.each(SERVERS)('$name: connections that the server drops', ({ name, freshUrl }) => {
  /** Ends every connection of Colloquy to the database, as a server does that restarts. */
  const dropConnections = async (url: string): Promise<number> => serverOf(name).endConnections(url, 1_000, 0);

  it('fail the calls under way, and no later one', async () => {
    const unhandled: unknown[] = [];
    const remember = (error: unknown): unknown => unhandled.push(error);
    process.on('uncaughtException', remember);
    onTestFinished(() => void process.off('uncaughtException', remember));
    const url = await freshUrl();
    const { acme, chatId } = await openChat(withParameter(url, 'poolSize', '4'));
    let acknowledged = 0;
    const over = new AbortController();
    const codes = new Set<string>();
    const write = async (writer: number): Promise<void> => {
      for (let index = 0; !over.signal.aborted; index++) {
        const content = `${String(writer)}-${String(index)}`;
        const code = await codeOf(acme.messages.append(chatId, { role: 'user', content }));
        if (code === 'resolved') acknowledged += 1;
        else codes.add(code);
      }
    };
    const writers = Array.from({ length: 8 }, (_unused, writer) => write(writer));
    let dropped = 0;
    while (dropped < 20) dropped += await dropConnections(url);
    over.abort();
    await Promise.all(writers);

    expect(codes.size).toBeGreaterThan(0);
    expect([...codes].filter((code) => !FAILURES.has(code))).toEqual([]);
    expect(unhandled).toEqual([]);
    const { messageCount } = await acme.conversations.get(chatId);
    expect(messageCount).toBeGreaterThanOrEqual(acknowledged);
    const history = await acme.messages.history(chatId, { last: 10_000 });
    expect(history.map(({ seq }) => seq)).toEqual(Array.from({ length: messageCount }, (_unused, index) => index + 1));
    // Every place of the pool is free again.
    const reads = Array.from({ length: 8 }, () => acme.transaction(({ users }) => users.countRows()));
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 8 }, () => 1));
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

  it.skipIf(name !== 'postgresql')('leave the outcome open when they go during a commit', async () => {
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
    const committing = `select 1 from pg_stat_activity where datname = current_database() and query = 'commit' and wait_event = 'PgSleep'`;
    while ((await rawRows(url, committing)).length === 0);
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
