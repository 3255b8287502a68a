import { describe, expect, it, onTestFinished } from 'vitest';
import { codeOf, open, openChat } from '../support/conformance.js';
import { SERVERS } from '../support/engines.js';
import { FaultProxy } from '../support/fault-proxy.js';

// A file without tests is an error.
if (SERVERS.length === 0) it.skip('a network that loses what is read', () => undefined);

describe.each(SERVERS)('$name: a read whose connection is lost after any of its answers', ({ freshUrl }) => {
  it('is an outage, never an outcome that nobody knows, and the next read works', async () => {
    const databaseUrl = await freshUrl();
    const { chatId } = await openChat(databaseUrl);
    const url = new URL(databaseUrl);
    const cut = { after: Number.POSITIVE_INFINITY };
    const target = { host: url.hostname, port: Number(url.port) };
    const proxy = await FaultProxy.start(target, () => (direction) => {
      if (direction !== 'toClient' || cut.after-- > 0) return 'forward';
      cut.after = Number.POSITIVE_INFINITY;
      return 'reset';
    });
    onTestFinished(() => proxy.close());
    url.port = String(proxy.port);
    const far = (await open(url.href)).tenant('acme');
    const codes: string[] = [];
    for (let answers = 0; codes.at(-1) !== 'resolved'; answers++) {
      await far.messages.history(chatId);
      cut.after = answers;
      codes.push(await codeOf(far.messages.history(chatId)));
      cut.after = Number.POSITIVE_INFINITY;
    }
    expect(codes.length).toBeGreaterThan(1);
    expect(codes.slice(0, -1).filter((code) => code !== 'DATABASE_UNAVAILABLE')).toEqual([]);
    expect(await far.messages.history(chatId)).toEqual([]);
  });
});
