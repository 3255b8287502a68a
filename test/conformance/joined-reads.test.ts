import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NotFoundError } from '../../src/errors.js';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { SERVERS } from '../support/engines.js';
import { FaultProxy, type Hook } from '../support/fault-proxy.js';

describe.each(SERVERS)('$name: a read that would wait for another', ({ freshUrl }) => {
  it('does not take from it that there is nothing, when a row was made since', async () => {
    const url = new URL(await freshUrl());
    // Holds the next answer of the server back, and none of another connection.
    const slow = { isNext: false };
    const hook: Hook = (direction) => {
      if (direction !== 'toClient' || !slow.isNext) return 'forward';
      slow.isNext = false;
      return { delay: 1_500 };
    };
    const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) }, () => hook);
    url.port = String(proxy.port);
    const persistence = await PersistenceManager.open({ databaseUrl: url.href });
    onTestFinished(async () => {
      await persistence.close();
      proxy.close();
    });
    await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const { users } = persistence.tenant('acme');
    await expect(users.getByExternalId('nobody')).rejects.toThrow(NotFoundError);
    slow.isNext = true;
    const early = users.getByExternalId('ada').catch((error: unknown) => error);
    await vi.waitFor(() => expect(slow.isNext).toBe(false));
    const { id } = await users.create({ externalId: 'ada', username: 'ada' });
    expect((await users.getByExternalId('ada')).id).toBe(id);
    expect(await early).toBeInstanceOf(NotFoundError);
  });
});
