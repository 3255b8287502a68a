import { describe, expect, it } from 'vitest';
import { codeOf, open, openChat } from '../support/conformance.js';
import { SERVERS, withParameter } from '../support/engines.js';
import { serverOf } from '../support/faulty-servers.js';

// A file without tests is an error.
if (SERVERS.length === 0) it.skip('a server', () => undefined);

describe.each(SERVERS)('$name: the server', ({ name, freshUrl }) => {
  it('that refuses, or has no such database, is unavailable', async () => {
    const missing = new URL(await freshUrl());
    expect(await codeOf(open(`${missing.protocol}//ada@127.0.0.1:1/none`))).toBe('DATABASE_UNAVAILABLE');
    missing.pathname = '/colloquy_test_missing';
    expect(await codeOf(open(missing.href))).toBe('DATABASE_UNAVAILABLE');
  });

  it('ends a statement that takes too long', async () => {
    const { persistence } = await openChat(withParameter(await freshUrl(), 'statementTimeout', '100'));
    // Behind a pooler a statement outside of a transaction has the server's own limit.
    const call = persistence.withEntityManager((em) =>
      em.transactional((inner) => inner.execute(serverOf(name).sleep(5))),
    );
    expect(await codeOf(call)).toBe('DATABASE_TIMEOUT');
  });

  it('has a unit of work run again that was in a deadlock', async () => {
    const { acme, chatId, userId } = await openChat(await freshUrl());
    const { id: otherId } = await acme.conversations.start({ userId });
    const met = Promise.withResolvers<void>();
    let arrived = 0;
    const both = (first: string, second: string) =>
      acme.transaction(async () => {
        await acme.messages.append(first, { role: 'user', content: 'x' });
        if (++arrived === 2) met.resolve();
        await met.promise;
        await acme.messages.append(second, { role: 'user', content: 'y' });
      });
    await Promise.all([both(chatId, otherId), both(otherId, chatId)]);
    expect(arrived).toBeGreaterThan(2);
    expect(await acme.messages.history(chatId)).toHaveLength(2);
    expect(await acme.messages.history(otherId)).toHaveLength(2);
  });
});
