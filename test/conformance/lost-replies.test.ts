import { describe, expect, it, onTestFinished } from 'vitest';
import { runStatement } from '../../src/repositories/statement.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { codeOf, open, openChat } from '../support/conformance.js';
import { APPEND, CREATING_CALLS } from '../support/creating-calls.js';
import { SERVERS, type TestEngine, withParameter } from '../support/engines.js';
import { FaultProxy, type Hook } from '../support/fault-proxy.js';
import { serverOf } from '../support/faulty-servers.js';
import { loseCommits, openLossyWay } from '../support/lost-commits.js';

// A file without tests is an error.
if (SERVERS.length === 0) it.skip('a network that loses replies', () => undefined);

const MESSAGE = { role: 'user', content: 'A table for two, please' } as const;
const KEY = { idempotencyKey: 'req-1' };

/** A chat, and the same one seen through a proxy that swallows replies of COMMIT when it is told to. */
async function openBoth(engine: TestEngine, loss: 'reset' | 'drop' = 'reset') {
  const databaseUrl = await engine.freshUrl();
  const chat = await openChat(databaseUrl);
  const limited = withParameter(withParameter(databaseUrl, 'statementTimeout', '500'), 'connectTimeout', '2000');
  const ids = { userId: chat.userId, conversationId: chat.chatId };
  const way = await openLossyWay(engine, loss === 'drop' ? limited : databaseUrl, ids, loss);
  return { ...chat, way, far: way.tenant };
}

/** More conversations than there are connections. */
async function startMany({ conversations }: TenantContext, userId: string): Promise<string[]> {
  const started = Array.from({ length: 40 }, () => conversations.start({ userId }));
  return (await Promise.all(started)).map(({ id }) => id);
}

describe.each(SERVERS)('$name: a COMMIT whose reply is lost', (engine) => {
  it('leaves the outcome open, and the message is there', async () => {
    const { acme, far, chatId, way } = await openBoth(engine);
    way.swallowCommits(1);
    expect(await codeOf(far.messages.append(chatId, MESSAGE))).toBe('OUTCOME_UNKNOWN');
    expect((await acme.messages.history(chatId)).map(({ content }) => content)).toEqual([MESSAGE.content]);
  });

  it.each([...CREATING_CALLS, APPEND])('of $name is made good by its key, within the call', async ({ make, table }) => {
    const { acme, way } = await openBoth(engine);
    const before = (await acme.stats()).rows;
    way.swallowCommits(2);
    const result = await make(way, 7, KEY);
    expect(way.swallowed()).toBe(2);
    expect(await make({ ...way, tenant: acme }, 7, KEY)).toEqual(result);
    expect((await acme.stats()).rows[table]).toBe((before[table] ?? 0) + 1);
  });

  it('of appends of many callers is made good by their keys, for each of them', async () => {
    const { acme, far, userId, way } = await openBoth(engine);
    const conversations = await startMany(acme, userId);
    way.swallowCommits(6);
    const messages = await Promise.all(
      conversations.map((id, index) => far.messages.append(id, MESSAGE, { idempotencyKey: `req-${String(index)}` })),
    );
    expect(way.swallowed()).toBe(6);
    const stored = await Promise.all(conversations.map((id) => acme.messages.history(id)));
    expect(stored).toEqual(messages.map((message) => [message]));
  });

  it('of appends of many callers leaves the outcome open for those who were in it, and for nobody else', async () => {
    const { acme, far, userId, way } = await openBoth(engine);
    const conversations = await startMany(acme, userId);
    way.swallowCommits(3);
    const outcomes = await Promise.all(conversations.map((id) => codeOf(far.messages.append(id, MESSAGE))));
    expect(way.swallowed()).toBe(3);
    const unknown = outcomes.filter((code) => code === 'OUTCOME_UNKNOWN').length;
    expect(outcomes.filter((code) => code === 'resolved')).toHaveLength(conversations.length - unknown);
    expect(unknown).toBeGreaterThanOrEqual(3);
    // They were committed, every one: what was lost is the answer.
    const stored = await Promise.all(conversations.map((id) => acme.messages.history(id)));
    expect(stored.map(({ length }) => length)).toEqual(conversations.map(() => 1));
  });

  it('of a tenant that is ensured is made good by its slug', async () => {
    const { way } = await openBoth(engine);
    way.swallowCommits(2);
    const beta = await way.persistence.tenants.ensure({ slug: 'beta', name: 'Beta' });
    expect(way.swallowed()).toBe(2);
    expect(await way.persistence.tenants.get('beta')).toEqual(beta);
  });

  it('of an API key still shows the key to the call that made it', async () => {
    const { acme, far, way } = await openBoth(engine);
    way.swallowCommits(1);
    const { key, apiKey } = await far.apiKeys.create({ name: 'ci' }, KEY);
    expect(way.swallowed()).toBe(1);
    expect(await acme.apiKeys.verify(key ?? '')).toMatchObject({ id: apiKey.id });
  });

  it('in silence is made good by the key as soon as the connection is given up', async () => {
    const { acme, far, chatId, way } = await openBoth(engine, 'drop');
    way.swallowCommits(1);
    const message = await far.messages.append(chatId, MESSAGE, KEY);
    expect(way.swallowed()).toBe(1);
    expect(await acme.messages.history(chatId)).toEqual([message]);
  });

  it('and those of all repeats leave the outcome open, with one row at most', async () => {
    const { acme, far, chatId, way } = await openBoth(engine);
    way.swallowCommits(1_000);
    expect(await codeOf(far.messages.append(chatId, MESSAGE, KEY))).toBe('OUTCOME_UNKNOWN');
    expect(await codeOf(far.users.create({ externalId: 'u-2', username: 'bob' }, KEY))).toBe('OUTCOME_UNKNOWN');
    expect(way.swallowed()).toBe(10);
    expect(await acme.messages.history(chatId)).toHaveLength(1);
    expect((await acme.users.list()).items).toHaveLength(2);
  });

  it('stays open when nobody can be asked any more', async () => {
    const { acme, far, way } = await openBoth(engine);
    way.swallowCommits(1);
    way.proxy.refuse();
    expect(await codeOf(far.users.create({ externalId: 'u-2', username: 'bob' }, KEY))).toBe('OUTCOME_UNKNOWN');
    await way.proxy.accept();
    const bob = await far.users.create({ externalId: 'u-2', username: 'bob' }, KEY);
    expect(await acme.users.getByExternalId('u-2')).toEqual(bob);
  });

  it('is the end of a unit of work, which is not run again, whatever keys its calls have', async () => {
    const { acme, far, chatId, way } = await openBoth(engine);
    let runs = 0;
    const call = far.transaction(async () => {
      runs += 1;
      await far.messages.append(chatId, MESSAGE, KEY);
      await far.users.create({ externalId: 'u-2', username: 'bob' }, KEY);
      way.swallowCommits(1);
    });
    expect(await codeOf(call)).toBe('OUTCOME_UNKNOWN');
    expect(runs).toBe(1);
    expect(await acme.messages.history(chatId)).toHaveLength(1);
  });

  // A few seconds; test/long loses a thousand.
  it('42 times, in calls of every kind by four callers, doubles nothing and loses nothing', async () => {
    expect(await loseCommits(engine, 42, 1)).toMatchObject({ swallowed: 42, failed: {}, doubled: 0, lost: 0, hung: 0 });
  });
});

describe.each(SERVERS)('$name: a network that loses all that the server says', ({ name, freshUrl }) => {
  const openHole = async (limits: string) => {
    const databaseUrl = await freshUrl();
    const chat = await openChat(databaseUrl);
    const url = new URL(databaseUrl);
    for (const [limit, value] of new URLSearchParams(limits)) url.searchParams.set(limit, value);
    const hole = { isOpen: false };
    const hook: Hook = (direction) => (hole.isOpen && direction === 'toClient' ? 'drop' : 'forward');
    const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) }, () => hook);
    onTestFinished(() => proxy.close());
    url.port = String(proxy.port);
    const persistence = await open(url.href);
    return { ...chat, far: persistence.tenant('acme'), persistence, hole };
  };

  it('ends every call in time, also the commit, and the later ones work', async () => {
    const { acme, far, chatId, hole } = await openHole('statementTimeout=500&connectTimeout=2000&poolSize=2');
    await far.messages.append(chatId, MESSAGE);
    const committing = far.transaction(async ({ messages }) => {
      await messages.append(chatId, MESSAGE);
      hole.isOpen = true;
    });
    expect(await codeOf(committing)).toBe('OUTCOME_UNKNOWN');
    const calls = [far.messages.append(chatId, MESSAGE), far.messages.history(chatId)];
    expect(await Promise.all(calls.map(codeOf))).toEqual(['DATABASE_UNAVAILABLE', 'DATABASE_UNAVAILABLE']);
    hole.isOpen = false;
    await far.messages.append(chatId, MESSAGE);
    expect(await acme.messages.history(chatId)).toHaveLength(3);
  });

  it('ends appends that wait for one conversation together, not each after the one before', async () => {
    const { acme, far, chatId, hole } = await openHole('statementTimeout=500&connectTimeout=1000&poolSize=2');
    await far.messages.append(chatId, MESSAGE);
    hole.isOpen = true;
    // One by one they would take more than a minute.
    const codes = await Promise.all(Array.from({ length: 60 }, () => codeOf(far.messages.append(chatId, MESSAGE))));
    expect(codes.filter((code) => !/^(?:DATABASE_UNAVAILABLE|OUTCOME_UNKNOWN)$/.test(code))).toEqual([]);
    hole.isOpen = false;
    await far.messages.append(chatId, MESSAGE);
    const { messageCount } = await acme.conversations.get(chatId);
    expect(await acme.messages.history(chatId, { last: 100 })).toHaveLength(messageCount);
  });

  it('does not keep a manager from closing', async () => {
    const { far, chatId, persistence, hole } = await openHole('statementTimeout=500&connectTimeout=2000');
    await Promise.all([1, 2, 3].map(() => far.messages.append(chatId, MESSAGE)));
    hole.isOpen = true;
    const call = codeOf(persistence.withEntityManager((em) => em.execute('select 1')));
    await persistence.close();
    expect(await call).toBe('DATABASE_UNAVAILABLE');
  });

  it('is not seen in a transaction that has a limit of its own', async () => {
    const { far } = await openHole('statementTimeout=1000&connectTimeout=1000');
    const call = far.transaction(async ({ em }) => {
      await runStatement(em, serverOf(name).noLimit);
      await runStatement(em, serverOf(name).sleep(2.5));
    });
    expect(await codeOf(call)).toBe('resolved');
  });
});
