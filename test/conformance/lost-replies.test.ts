import { describe, expect, it, onTestFinished } from 'vitest';
import { runStatement } from '../../src/repositories/statement.js';
import { codeOf, open, openChat } from '../support/conformance.js';
import { SERVERS, type TestEngine } from '../support/engines.js';
import { FaultProxy, type Hook, swallowReply } from '../support/fault-proxy.js';
import { serverOf } from '../support/faulty-servers.js';

// A file without tests is an error.
if (SERVERS.length === 0) it.skip('a network that loses replies', () => undefined);

const MESSAGE = { role: 'user', content: 'A table for two, please' } as const;
const KEY = { idempotencyKey: 'req-1' };

/** A chat, and the same one seen through a proxy that swallows the reply of the next COMMIT when it is told to. */
async function openBoth({ name, freshUrl }: TestEngine) {
  const databaseUrl = await freshUrl();
  const chat = await openChat(databaseUrl);
  const url = new URL(databaseUrl);
  let isArmed = false;
  const isMet = (statement: string): boolean => {
    const isCommit = isArmed && statement.toLowerCase() === 'commit';
    if (isCommit) isArmed = false;
    return isCommit;
  };
  const target = { host: url.hostname, port: Number(url.port) };
  const proxy = await FaultProxy.start(target, () => swallowReply(serverOf(name).readStatements(), isMet));
  onTestFinished(() => proxy.close());
  url.port = String(proxy.port);
  const far = (await open(url.href)).tenant('acme');
  return { ...chat, far, swallowCommit: () => void (isArmed = true), proxy };
}

describe.each(SERVERS)('$name: a COMMIT whose reply is lost', (engine) => {
  it('leaves the outcome open, and the message is there', async () => {
    const { acme, far, chatId, swallowCommit } = await openBoth(engine);
    swallowCommit();
    expect(await codeOf(far.messages.append(chatId, MESSAGE))).toBe('OUTCOME_UNKNOWN');
    expect((await acme.messages.history(chatId)).map(({ content }) => content)).toEqual([MESSAGE.content]);
  });

  it('is made good by the same key, which gives the first result', async () => {
    const { acme, far, chatId, swallowCommit } = await openBoth(engine);
    swallowCommit();
    expect(await codeOf(far.messages.append(chatId, MESSAGE, KEY))).toBe('OUTCOME_UNKNOWN');
    const message = await far.messages.append(chatId, MESSAGE, KEY);
    expect(await acme.messages.history(chatId)).toEqual([message]);
  });

  it('is the end of a unit of work, which is not run again', async () => {
    const { acme, far, chatId, swallowCommit } = await openBoth(engine);
    let runs = 0;
    const call = far.transaction(async ({ messages }) => {
      runs += 1;
      await messages.append(chatId, MESSAGE);
      swallowCommit();
    });
    expect(await codeOf(call)).toBe('OUTCOME_UNKNOWN');
    expect(runs).toBe(1);
    expect(await acme.messages.history(chatId)).toHaveLength(1);
  });
});

describe.each(SERVERS)('$name: a network that loses all that the server says', ({ name, freshUrl }) => {
  const openHole = async (limits: string) => {
    const databaseUrl = await freshUrl();
    const chat = await openChat(databaseUrl);
    const url = new URL(`${databaseUrl}?${limits}`);
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
