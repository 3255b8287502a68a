import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { codeOf, open, openChat, workTogether } from '../support/conformance.js';
import { directUrl, ENGINES, query, SERVERS } from '../support/engines.js';
import { createGate, type Gate } from '../support/gate.js';

const dense = (count: number): number[] => Array.from({ length: count }, (_unused, index) => index + 1);

describe.each(ENGINES)('$name: concurrent writers', ({ freshUrl }) => {
  it('give 32 writers of one process dense numbers and right counters', async () => {
    const { acme, chatId } = await openChat(await freshUrl());
    const seqs = await Promise.all(
      Array.from({ length: 32 }, async (_unused, writer) => {
        const own: number[] = [];
        for (let index = 0; index < 5; index++) {
          const content = `${String(writer)}-${String(index)}`;
          own.push((await acme.messages.append(chatId, { role: 'user', content, tokenCount: 2 })).seq);
        }
        return own;
      }),
    );
    expect(seqs.flat().toSorted((a, b) => a - b)).toEqual(dense(160));
    const history = await acme.messages.history(chatId, { last: 200 });
    expect(history.map(({ seq }) => seq)).toEqual(dense(160));
    const { messageCount, tokenCount } = await acme.conversations.get(chatId);
    expect({ messageCount, tokenCount }).toEqual({ messageCount: 160, tokenCount: 320 });
  });

  it('give the writers of two processes dense numbers', async () => {
    const url = await freshUrl();
    const { acme, chatId } = await openChat(url);
    const outputs = await workTogether([
      [url, 'append', chatId, '16', '4'],
      [url, 'append', chatId, '16', '4'],
    ]);
    const seqs = outputs.flatMap((output) => output.trim().split('\n').map(Number));
    expect(seqs.toSorted((a, b) => a - b)).toEqual(dense(128));
    expect((await acme.conversations.get(chatId)).messageCount).toBe(128);
  });

  it('write a request once that both processes and several callers repeat', async () => {
    const url = await freshUrl();
    const { acme, chatId } = await openChat(url);
    const outputs = await workTogether([
      [url, 'append', chatId, '4', '6', 'request'],
      [url, 'append', chatId, '4', '6', 'request'],
    ]);
    const seqs = outputs.flatMap((output) => output.trim().split('\n').map(Number));
    expect(seqs).toHaveLength(48);
    expect([...new Set(seqs)].toSorted((a, b) => a - b)).toEqual(dense(6));
    expect((await acme.conversations.get(chatId)).messageCount).toBe(6);
  });

  it('write a request once also inside units of work', async () => {
    const { acme, chatId } = await openChat(await freshUrl());
    const append = () =>
      acme.transaction(async () => {
        await acme.messages.append(chatId, { role: 'user', content: 'once' }, { idempotencyKey: 'k' });
        return acme.messages.append(chatId, { role: 'user', content: 'each' });
      });
    await Promise.all(Array.from({ length: 5 }, append));
    const contents = (await acme.messages.history(chatId)).map(({ content }) => content);
    expect(contents).toEqual(['once', 'each', 'each', 'each', 'each', 'each']);
  });

  it('lose no usage, and make one record a day', async () => {
    const { acme } = await openChat(await freshUrl());
    const add = () => acme.usage.add({ provider: 'p', model: 'm', day: '2026-01-02', promptTokens: 3, costUsd: '0.1' });
    await Promise.all(Array.from({ length: 20 }, add));
    const [record, ...others] = await acme.usage.list({ from: '2026-01-01', to: '2026-01-31' });
    expect(others).toEqual([]);
    expect(record).toMatchObject({ requests: 20, promptTokens: 60, costUsd: '2' });
  });

  it('make a tenant once', async () => {
    const persistence = await open(await freshUrl());
    const ensure = () => persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const ids = (await Promise.all(Array.from({ length: 10 }, ensure))).map(({ id }) => id);
    expect(new Set(ids).size).toBe(1);
  });

  it('change a row one after the other, and end a call once', async () => {
    const { acme, chatId, userId } = await openChat(await freshUrl());
    const rename = (_unused: unknown, index: number) =>
      acme.conversations.update(chatId, { title: `title ${String(index)}` });
    await Promise.all(Array.from({ length: 8 }, rename));
    expect((await acme.conversations.get(chatId)).version).toBe(9);
    const call = await acme.voiceSessions.start({ externalId: 'c-1', userId });
    const ends = await Promise.all(Array.from({ length: 4 }, () => codeOf(acme.voiceSessions.complete(call.id))));
    expect(ends.toSorted()).toEqual(['INVALID_STATE', 'INVALID_STATE', 'INVALID_STATE', 'resolved']);
  });

  it('refuse to commit what somebody else has changed since it was read', async () => {
    const { acme, chatId } = await openChat(await freshUrl());
    const stale = await acme.read(({ conversations }) => conversations.get(chatId));
    await acme.conversations.update(chatId, { title: 'first' });
    const late = acme.transaction(async ({ em }) => {
      em.merge(stale);
      stale.title = 'second';
    });
    expect(await codeOf(late)).toBe('VERSION_CONFLICT');
  });

  it('import the same archive from two processes as if from one', async () => {
    const url = await freshUrl();
    const files = ['examples/conversations.jsonl', 'examples/documents.jsonl'];
    await open(url);
    const outputs = await workTogether([
      [url, 'import', ...files],
      [url, 'import', ...files],
    ]);
    const [first, second] = outputs.map((output) => JSON.parse(output) as Counts);
    const alone = await open(url);
    const { rows } = await alone.stats();
    expect((first?.conversations.added ?? 0) + (second?.conversations.added ?? 0)).toBe(rows['conversations']);
    expect((first?.documents.added ?? 0) + (second?.documents.added ?? 0)).toBe(rows['documents']);
    expect((first?.messages ?? 0) + (second?.messages ?? 0)).toBe(rows['messages']);
  });
});

// A file without tests is an error, and so is a suite.
describe.skipIf(SERVERS.length === 0).each(SERVERS)('$name: a conflict that somebody catches', ({ freshUrl }) => {
  it('is not committed as if nothing had been', async () => {
    const { acme, chatId, userId } = await openChat(await freshUrl());
    const other = await acme.conversations.start({ userId });
    const [left, right] = [createGate(), createGate()];
    let runs = 0;
    const work = async (name: string, own: Gate, others: Gate, ids: readonly string[]): Promise<void> =>
      acme.transaction(async () => {
        runs += 1;
        await acme.users.create({ externalId: name, username: name });
        await acme.conversations.update(ids[0] ?? '', { title: name });
        own.open();
        await others.opened;
        // A deadlock: each waits for the row that the other has changed.
        await acme.conversations.update(ids[1] ?? '', { title: name }).catch(() => undefined);
      });
    await Promise.all([work('left', left, right, [chatId, other.id]), work('right', right, left, [other.id, chatId])]);
    expect(runs).toBeGreaterThan(2);
    const users = (await acme.users.list()).items.map(({ externalId }) => externalId);
    expect(users.toSorted()).toEqual(['left', 'right', 'u-1']);
    const titles = [(await acme.conversations.get(chatId)).title, (await acme.conversations.get(other.id)).title];
    expect(titles[0]).toBe(titles[1]);
  });
});

/** MariaDB shows the locks as they were until nobody has asked for them for 100 ms: who asks without a pause sees the same for ever. */
const LOCKS_AGE = 150;

/** Selects a row for each connection to the database that waits for a lock. */
const WAITING: Readonly<Record<string, string>> = {
  postgresql: `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  mariadb: `select 1 from information_schema.innodb_trx join information_schema.processlist on id = trx_mysql_thread_id
             where trx_state = 'LOCK WAIT' and db = database()`,
};

describe.skipIf(SERVERS.length === 0).each(SERVERS)('$name: a tenant that is written', ({ name, freshUrl }) => {
  it('is suspended when those who have begun are done', async () => {
    const url = await freshUrl();
    const direct = directUrl(url);
    const { acme, chatId } = await openChat(url);
    const second = await open(url);
    const tenant = { isSuspended: false };
    let suspending: Promise<unknown> = Promise.resolve();
    const suspendedMeanwhile = await acme.transaction(async ({ conversations }) => {
      suspending = second.tenants.suspend('acme').then(() => (tenant.isSuspended = true));
      const waiting = WAITING[new URL(direct).protocol.slice(0, -1)] ?? `no statement is known for ${name}`;
      while (!tenant.isSuspended && (await query(direct, waiting)).length === 0) await pause(LOCKS_AGE);
      (await conversations.get(chatId)).title = 'begun before';
      return tenant.isSuspended;
    });
    await suspending;
    expect(suspendedMeanwhile).toBe(false);
    expect((await acme.conversations.get(chatId)).title).toBe('begun before');
    expect(await codeOf(acme.conversations.update(chatId, { title: 'late' }))).toBe('TENANT_SUSPENDED');
  });
});

interface Counts {
  readonly conversations: { readonly added: number };
  readonly documents: { readonly added: number };
  readonly messages: number;
}
