import { describe, expect, it } from 'vitest';
import { AlreadyExistsError, NotFoundError, ValidationError, VersionConflictError } from '../../src/errors.js';
import { openAcme, populate } from '../support/open-manager.js';
import { rejectionOf } from '../support/rejection.js';

const NOBODY = '019b796d-d600-7a00-821f-000000000000';

describe('create', () => {
  it('gives the row with its defaults, its id and the time of the clock', async () => {
    const { tenant, tenantId, clock } = await openAcme();
    const user = await tenant.users.create({ externalId: 'u-42', username: 'ada' });
    expect(user).toEqual({
      tenantId,
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      externalId: 'u-42',
      username: 'ada',
      nickname: null,
      email: null,
      phone: null,
      metadata: {},
      role: 'user',
      status: 'active',
      version: 1,
    });
    expect(await tenant.users.get(user.id)).toEqual(user);
    expect(await tenant.users.getByExternalId('u-42')).toEqual(user);
  });

  it('refuses an external id that is taken, and names its column', async () => {
    const { tenant } = await openAcme();
    const error = await rejectionOf(
      tenant.users.create({ externalId: 'acme-user', username: 'x' }),
      AlreadyExistsError,
    );
    expect(error.constraint).toBe('users.external_id');
  });

  it('takes an external id that another tenant has', async () => {
    const { persistence, tenant } = await openAcme();
    const beta = await populate(persistence, 'beta');
    expect(await beta.tenant.users.create({ externalId: 'acme-user', username: 'x' })).toMatchObject({
      externalId: 'acme-user',
    });
    expect((await tenant.users.list()).items).toHaveLength(1);
  });

  it('names path, rule, message and kind of everything that is wrong, and no value', async () => {
    const { tenant } = await openAcme();
    const call = tenant.users.create({ externalId: 'bad\n', username: '', email: 'nowhere', phone: '0041' });
    const { entity, issues } = await rejectionOf(call, ValidationError);
    expect(entity).toBe('User');
    expect(issues.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'email', rule: 'isEmail', message: 'must be an e-mail address', kind: 'string of 7' },
      {
        path: 'externalId',
        rule: 'isExternalId',
        message: expect.stringContaining('1 to 255'),
        kind: 'string of 4',
        constraints: [255],
      },
      { path: 'phone', rule: 'isPhone', message: expect.stringContaining('E.164'), kind: 'string of 4' },
      {
        path: 'username',
        rule: 'isText',
        message: expect.stringContaining('1 to 255'),
        kind: 'string of 0',
        constraints: [1, 255],
      },
    ]);
  });

  it('gives a copy, which changes of the input do not reach', async () => {
    const { tenant } = await openAcme();
    const metadata = { tags: ['a'] };
    const user = await tenant.users.create({ externalId: 'u', username: 'u', metadata });
    metadata.tags.push('b');
    expect(user.metadata).toEqual({ tags: ['a'] });
    expect((await tenant.users.get(user.id)).metadata).toEqual({ tags: ['a'] });
  });
});

describe('update', () => {
  it('changes what is named, leaves the rest, and raises version and time', async () => {
    const { tenant, userId, clock } = await openAcme();
    const before = await tenant.users.get(userId);
    clock.advance(5000);
    const changes = {
      nickname: 'Ada',
      email: 'ada@example.com',
      phone: '+14155550123',
      status: 'banned',
      role: 'admin',
    };
    const updated = await tenant.users.update(userId, { ...changes, username: undefined } as never);
    expect(updated).toEqual({ ...before, ...changes, version: 2, updatedAt: clock.now() });
    expect(await tenant.users.get(userId)).toEqual(updated);
    expect(await tenant.users.update(userId, { email: null })).toMatchObject({ email: null, nickname: 'Ada' });
  });

  it('of nothing writes nothing', async () => {
    const { tenant, userId, clock } = await openAcme();
    const before = await tenant.users.get(userId);
    clock.advance(5000);
    await tenant.users.update(userId, {});
    await tenant.users.update(userId, { username: before.username });
    expect(await tenant.users.get(userId)).toEqual(before);
  });
});

it('what is not there is said to be missing, by entity and key', async () => {
  const { tenant } = await openAcme();
  const calls = [() => tenant.users.get(NOBODY), () => tenant.users.update(NOBODY, { nickname: 'x' })];
  for (const call of calls) {
    expect(await rejectionOf(call(), NotFoundError)).toMatchObject({ entity: 'user', key: NOBODY });
  }
  const byKey = await rejectionOf(tenant.users.getByExternalId('nobody'), NotFoundError);
  expect(byKey).toMatchObject({ entity: 'user', key: 'nobody' });
});

describe('list', () => {
  it('gives every user once, the oldest first, also while others come', async () => {
    const { tenant, userId } = await openAcme();
    const made = [userId];
    for (let index = 0; index < 6; index++) {
      made.push((await tenant.users.create({ externalId: `u-${String(index)}`, username: 'u' })).id);
    }
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await tenant.users.list({ limit: 3, after });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map(({ id }) => id));
      if (seen.length === 3) made.push((await tenant.users.create({ externalId: 'late', username: 'u' })).id);
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(made);
  });

  it('ends with the last full page', async () => {
    const { tenant } = await openAcme();
    expect((await tenant.users.list({ limit: 1 })).next).toBeNull();
  });

  it.each([
    ['limit', { limit: 0 }],
    ['limit', { limit: 1001 }],
    ['limit', { limit: 1.5 }],
    ['limit', { limit: Number.NaN }],
    ['limit', { limit: '5' as never }],
    ['after', { after: '' }],
    ['after', { after: 'first' }],
    ['after', { after: NOBODY.toUpperCase() }],
  ])('refuses a wrong %s', async (path, request) => {
    const { tenant } = await openAcme();
    const error = await rejectionOf(tenant.users.list(request), ValidationError);
    expect(error.issues.map((issue) => issue.path)).toEqual([path]);
  });
});

describe('update with ifVersion', () => {
  it('writes at that version, and otherwise tells the version there is and writes nothing', async () => {
    const { tenant, userId } = await openAcme();
    const first = await tenant.users.update(userId, { nickname: 'one' }, { ifVersion: 1 });
    const conflict = await rejectionOf(
      tenant.users.update(userId, { nickname: 'two' }, { ifVersion: 1 }),
      VersionConflictError,
    );
    expect(conflict.toJSON()).toMatchObject({ entity: 'user', key: userId, current: 2 });
    expect(await tenant.users.get(userId)).toEqual(first);
  });

  it.each([null, '1', 1.5, Number.NaN])('refuses %o, which is no version', async (ifVersion) => {
    const { tenant, userId } = await openAcme();
    const call = tenant.users.update(userId, { nickname: 'one' }, { ifVersion: ifVersion as number });
    expect((await rejectionOf(call, ValidationError)).issues).toMatchObject([{ path: 'ifVersion', rule: 'version' }]);
  });
});
