import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NotFoundError, ReferenceNotFoundError } from '../../src/errors.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openAcme } from '../support/open-manager.js';
import { rawRows } from '../support/raw-rows.js';
import { rejectionOf } from '../support/rejection.js';
import { fakeClock } from '../support/sources.js';

const NOTHING = '019b796d-d600-7a00-821f-000000000000';

async function openWithKey(url?: string) {
  const opened = await openAcme(url === undefined ? {} : { url });
  const keys = opened.tenant.apiKeys;
  const created = await keys.create({ name: 'ci', userId: opened.userId, scopes: ['messages:write', 'users:read'] });
  return { ...opened, keys, ...created };
}

describe('create', () => {
  it('gives a key and its record, without the hash', async () => {
    const { key, apiKey, tenantId, userId, clock } = await openWithKey();
    expect(key).toMatch(/^ck_[0-9a-z]{12}_[0-9a-f]{48}$/);
    expect(apiKey).toEqual({
      tenantId,
      id: expect.any(String),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      userId,
      name: 'ci',
      prefix: key.split('_')[1],
      scopes: ['messages:write', 'users:read'],
      expiresAt: null,
      lastUsedAt: null,
      status: 'active',
      version: 1,
    });
  });

  it('keeps of the key its hash alone', async () => {
    const url = await freshUrl();
    const { key } = await openWithKey(url);
    const rows = await rawRows(url, 'select * from api_keys');
    expect(JSON.stringify(rows)).not.toContain(key.split('_')[2]);
    expect(rows.map((row) => row['hash'])).toEqual([createHash('sha256').update(key).digest('hex')]);
  });

  it('makes another key every time', async () => {
    const { keys, key } = await openWithKey();
    const again = await keys.create({ name: 'ci' });
    expect([again.key === key, again.apiKey.userId, again.apiKey.scopes]).toEqual([false, null, []]);
  });

  it('refuses a user that is not there', async () => {
    const { keys } = await openWithKey();
    await rejectionOf(keys.create({ name: 'x', userId: NOTHING }), ReferenceNotFoundError);
  });
});

describe('verify', () => {
  it('gives the record of the key, and notes its use once a minute at most', async () => {
    const { keys, key, apiKey, clock } = await openWithKey();
    const first = clock.now();
    expect(await keys.verify(key)).toMatchObject({ id: apiKey.id, lastUsedAt: first });
    clock.advance(59_999);
    expect(await keys.verify(key)).toMatchObject({ lastUsedAt: first, version: 2 });
    clock.advance(1);
    expect(await keys.verify(key)).toMatchObject({ lastUsedAt: clock.now(), version: 3 });
    expect(await keys.verify(key)).not.toHaveProperty('hash');
  });

  it('gives null for what is no key of this tenant', async () => {
    const { keys, key } = await openWithKey();
    const last = key.at(-1) === '0' ? '1' : '0';
    const wrong = [
      key.slice(0, -1) + last,
      key.slice(0, -1),
      `${key}0`,
      `${key}\n`,
      key.toUpperCase(),
      key.replace('ck_', 'ck_0'),
      key.replace(/_[0-9a-z]{12}_/, '_000000000000_'),
      '',
      'ck__',
      "' or 1=1 --",
    ];
    for (const text of wrong) expect(await keys.verify(text), text).toBeNull();
    expect((await keys.list()).items[0]?.lastUsedAt).toBeNull();
  });

  it('gives null once the key has expired, to the millisecond', async () => {
    const { keys, clock } = await openWithKey();
    const expiresAt = new Date(clock.now().getTime() + 1000);
    const { key } = await keys.create({ name: 'short', expiresAt });
    clock.advance(999);
    expect(await keys.verify(key)).toMatchObject({ expiresAt });
    clock.advance(1);
    expect(await keys.verify(key)).toBeNull();
  });

  it('gives null once the key was revoked; to revoke twice is the same as once', async () => {
    const { keys, key, apiKey } = await openWithKey();
    const revoked = await keys.revoke(apiKey.id);
    expect(revoked).toMatchObject({ status: 'revoked' });
    expect(revoked).not.toHaveProperty('hash');
    expect(await keys.verify(key)).toBeNull();
    expect(await keys.revoke(apiKey.id)).toEqual(revoked);
  });

  it('notes one use for many calls at once, though the clock goes on', async () => {
    const { keys, key, clock } = await openWithKey();
    const steps = fakeClock({ start: clock.now().toISOString(), step: 1 });
    clock.now = () => steps.now();
    await Promise.all(Array.from({ length: 16 }, () => keys.verify(key)));
    expect((await keys.list()).items.map(({ version }) => version)).toEqual([2]);
  });

  it('gives null where the key is revoked between its look-up and the note of its use', async () => {
    const { keys, key, apiKey, tenant, clock } = await openWithKey();
    const now = () => apiKey.createdAt;
    let revoked: Promise<unknown> | undefined;
    const verified = await tenant.transaction(async () => {
      // The first to ask is the look-up; the second asks whether the key that it found has expired.
      let asked = 0;
      clock.now = () => {
        if ((asked += 1) < 2) return now();
        clock.now = now;
        revoked = keys.revoke(apiKey.id);
        return now();
      };
      return keys.verify(key);
    });
    expect(await revoked).toMatchObject({ status: 'revoked', lastUsedAt: null });
    expect(verified).toBeNull();
  });

  it('asked by many at once gives each the record', async () => {
    const { keys, key, apiKey } = await openWithKey();
    const results = await Promise.all(Array.from({ length: 16 }, () => keys.verify(key)));
    expect(results.map((info) => info?.id)).toEqual(results.map(() => apiKey.id));
  });
});

it('what is not there cannot be revoked', async () => {
  const { keys } = await openWithKey();
  expect(await rejectionOf(keys.revoke(NOTHING), NotFoundError)).toMatchObject({ entity: 'api key', key: NOTHING });
});

it('list gives keys in pages without their hashes, the oldest first', async () => {
  const { keys, apiKey } = await openWithKey();
  const { apiKey: second } = await keys.create({ name: 'second' });
  const first = await keys.list({ limit: 1 });
  expect(first).toEqual({ items: [apiKey], next: apiKey.id });
  expect(await keys.list({ after: first.next ?? '' })).toEqual({ items: [second], next: null });
});
