import { describe, expect, it } from 'vitest';
import { AlreadyExistsError, IdempotencyConflictError, ValidationError } from '../../src/errors.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { workTogether } from '../support/conformance.js';
import { CREATING_CALLS } from '../support/creating-calls.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openAcme, openManager, populate } from '../support/open-manager.js';
import { rawRows } from '../support/raw-rows.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';

const KEY = { idempotencyKey: 'réq 1' };
const HOUR = 3_600_000;

/** What a tenant has, its keys too. */
async function contentOf(tenant: TenantContext): Promise<unknown> {
  return [await tenant.digest(), (await tenant.stats()).rows];
}

describe.each(CREATING_CALLS)('$name under an idempotency key', ({ name, table, make }) => {
  const called = async () => {
    const opened = await openAcme({ url: await freshUrl() });
    const first = await make(opened, 1, KEY);
    return { ...opened, first, content: await contentOf(opened.tenant) };
  };

  it('gives the first result when it is called again, also after the database was opened again, and writes nothing', async () => {
    const url = await freshUrl();
    const { persistence, tenant, clock, ...ids } = await openAcme({ url });
    const first = await make({ ...ids, tenant }, 1, KEY);
    const content = await contentOf(tenant);
    clock.advance(HOUR);
    expect(await make({ ...ids, tenant }, 1, KEY)).toEqual(first);
    await persistence.close();
    const again = (await openManager({ url, seed: 2 })).persistence.tenant('acme');
    expect(await make({ ...ids, tenant: again }, 1, KEY)).toEqual(first);
    expect(await contentOf(again)).toEqual(content);
  });

  it('refuses another request, and a key that is none, and writes nothing', async () => {
    const { content, ...maker } = await called();
    const error = await rejectionOf(make(maker, 1, KEY, 'other'), IdempotencyConflictError);
    expect(error).toMatchObject({ idempotencyKey: KEY.idempotencyKey, difference: 'request' });
    for (const idempotencyKey of ['', ' x', 'a\0b', 'x'.repeat(256), 7 as never]) {
      const broken = await rejectionOf(make(maker, 2, { idempotencyKey }), ValidationError);
      expect(brokenRules(broken)).toEqual(['idempotencyKey isExternalId']);
    }
    expect(await contentOf(maker.tenant)).toEqual(content);
  });

  it('is another call for another tenant, and for another key', async () => {
    const { persistence, first, ...maker } = await called();
    const beta = await populate(persistence, 'beta');
    const others = [await make(beta, 2, KEY, 'other'), await make(maker, 3, { idempotencyKey: 'RÉQ 1' }, 'third')];
    expect(new Set([first, ...others].map(({ id }) => id)).size).toBe(3);
  });

  it('makes one row for 16 calls at once, which all get it, and keeps nothing of what the request said', async () => {
    const url = await freshUrl();
    const maker = await openAcme({ url });
    const before = (await maker.tenant.stats()).rows[table] ?? 0;
    const results = await Promise.all(Array.from({ length: 16 }, () => make(maker, 1, KEY, 'my secret')));
    expect(results).toEqual(results.map(() => results[0]));
    expect((await maker.tenant.stats()).rows).toMatchObject({ [table]: before + 1, idempotency_keys: 1 });
    const rows = await rawRows(url, 'select * from idempotency_keys');
    expect(rows).toMatchObject([{ operation: name, idempotency_key: KEY.idempotencyKey }]);
    expect(JSON.stringify(rows)).not.toContain('my secret');
  });
});

describe('an idempotency key', () => {
  const ADA = { externalId: 'ada', username: 'ada', metadata: { a: 1, b: [{ c: 2, d: undefined }] } };

  it('names a request of each operation', async () => {
    const maker = await openAcme();
    for (const { make } of CREATING_CALLS) await make(maker, 1, KEY);
    await maker.tenant.messages.append(maker.conversationId, { role: 'user', content: 'x' }, KEY);
    expect((await maker.tenant.stats()).rows).toMatchObject({
      users: 2,
      messages: 1,
      idempotency_keys: CREATING_CALLS.length,
    });
  });

  it('gives the first result also when the row has changed meanwhile', async () => {
    const { tenant } = await openAcme();
    const first = await tenant.users.create(ADA, KEY);
    await tenant.users.update(first.id, { username: 'Ada', metadata: {} });
    expect(await tenant.users.create(ADA, KEY)).toEqual(first);
    const used = { provider: 'p', model: 'm', requests: 2, costUsd: '0.10' };
    const sums = await tenant.usage.add(used, KEY);
    await tenant.usage.add(used);
    expect(sums).toMatchObject({ requests: 2, costUsd: '0.1' });
    expect(await tenant.usage.add(used, KEY)).toEqual(sums);
  });

  it('is of the same request whatever the order of its properties, and undefined ones', async () => {
    const { tenant } = await openAcme();
    const first = await tenant.users.create(ADA, KEY);
    const same = { phone: undefined, metadata: { b: [{ c: 2 }], a: 1 }, username: 'ada', externalId: 'ada' };
    expect(await tenant.users.create(same as never, KEY)).toEqual(first);
    const endless: Record<string, unknown> = { ...ADA };
    endless['metadata'] = endless;
    for (const other of [
      { ...ADA, phone: null },
      { ...ADA, metadata: { a: 1, b: [{ c: '2' }] } },
      endless,
      null,
      [],
      1n,
    ])
      await rejectionOf(tenant.users.create(other as never, KEY), IdempotencyConflictError);
  });

  it('keeps what nobody has said: the time of a call, and its day', async () => {
    const { tenant, userId, clock } = await openAcme();
    const call = await tenant.voiceSessions.start({ externalId: 'v', userId }, KEY);
    const used = await tenant.usage.add({ provider: 'p', model: 'm' }, KEY);
    clock.advance(24 * HOUR);
    expect(await tenant.voiceSessions.start({ externalId: 'v', userId }, KEY)).toEqual(call);
    expect(await tenant.usage.add({ provider: 'p', model: 'm' }, KEY)).toEqual(used);
  });

  it('is free again when nothing came of its call', async () => {
    const { tenant } = await openAcme();
    await tenant.users.create(ADA);
    await rejectionOf(tenant.users.create({ ...ADA, nickname: 'twin' }, KEY), AlreadyExistsError);
    await rejectionOf(tenant.users.create({ ...ADA, username: '' }, KEY), ValidationError);
    const undone = tenant.transaction(async () => {
      await tenant.users.create({ ...ADA, externalId: 'undone' }, KEY);
      throw new RangeError('rolled back');
    });
    await expect(undone).rejects.toThrow(RangeError);
    expect(await tenant.users.create({ ...ADA, externalId: 'bob' }, KEY)).toMatchObject({ externalId: 'bob' });
  });

  it('within one unit of work gives the first result, also after a call that failed', async () => {
    const { tenant } = await openAcme();
    await tenant.users.create(ADA);
    await tenant.transaction(async ({ users }) => {
      await rejectionOf(tenant.users.create(ADA, KEY), AlreadyExistsError);
      const bob = await tenant.users.create({ ...ADA, externalId: 'bob' }, KEY);
      (await users.get(bob.id)).username = 'Bob';
      expect(await tenant.users.create({ ...ADA, externalId: 'bob' }, KEY)).toEqual(bob);
    });
    expect((await tenant.stats()).rows).toMatchObject({ users: 3, idempotency_keys: 1 });
  });

  it('makes one row for two processes at once', async () => {
    const url = await freshUrl();
    const { tenant } = await openAcme({ url });
    const outputs = await workTogether([1, 2].map(() => [url, 'create', '4', '5', 'k']));
    const ids = outputs.map((output) => output.trim().split('\n').toSorted());
    expect(ids[0]).toHaveLength(20);
    expect(ids[0]).toEqual(ids[1]);
    expect(new Set(ids[0]).size).toBe(5);
    expect((await tenant.stats()).rows).toMatchObject({ conversations: 6, idempotency_keys: 5 });
  });
});

describe('the key of an API key', () => {
  it('is shown to the call that made it alone, and kept nowhere', async () => {
    const url = await freshUrl();
    const { tenant } = await openAcme({ url });
    const first = await tenant.apiKeys.create({ name: 'ci' }, KEY);
    expect(await tenant.apiKeys.verify(first.key ?? '')).toMatchObject({ id: first.apiKey.id });
    expect(await tenant.apiKeys.create({ name: 'ci' }, KEY)).toEqual({ key: null, apiKey: first.apiKey });
    const [, , secret = ''] = first.key?.split('_') ?? [];
    const kept = JSON.stringify(await rawRows(url, 'select * from idempotency_keys'));
    expect(kept).toContain(first.apiKey.prefix);
    expect(kept).not.toContain(secret);
    const [{ hash } = {}] = await rawRows<{ hash?: string }>(url, 'select hash from api_keys');
    expect(kept).not.toContain(hash);
  });
});

/** A tenant with ten keys. */
async function openWithKeys() {
  const opened = await openAcme();
  const create = (externalId: string, idempotencyKey = externalId) =>
    opened.tenant.users.create({ externalId, username: 'x' }, { idempotencyKey });
  for (let index = 0; index < 10; index++) await create(`u-${String(index)}`);
  const count = async () => (await opened.tenant.stats()).rows['idempotency_keys'];
  return { ...opened, create, count };
}

describe('idempotency keys that have expired', () => {
  it('are all there after a day', async () => {
    const { create, count, clock } = await openWithKeys();
    clock.advance(24 * HOUR);
    await create('new');
    expect(await count()).toBe(11);
    const again = await Promise.all(Array.from({ length: 10 }, (_unused, index) => create(`u-${String(index)}`)));
    expect(again.map(({ externalId }) => externalId)).toEqual(again.map((_row, index) => `u-${String(index)}`));
  });

  it('go four at a time, with the writes of new ones of the same tenant, and are free again', async () => {
    const { persistence, create, count, clock, tenant } = await openWithKeys();
    const beta = await populate(persistence, 'beta');
    await beta.tenant.users.create({ externalId: 'x', username: 'x' }, { idempotencyKey: 'of beta' });
    clock.advance(26 * HOUR);
    await create('new-1');
    expect(await count()).toBe(7);
    await Promise.all([create('new-2'), create('new-3'), create('new-4')]);
    expect(await count()).toBe(4);
    expect((await beta.tenant.stats()).rows).toMatchObject({ idempotency_keys: 1 });
    await tenant.users.create({ externalId: 'other', username: 'other' }, { idempotencyKey: 'u-0' });
  });
});
