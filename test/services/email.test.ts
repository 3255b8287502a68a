import { describe, expect, it } from 'vitest';
import { User } from '../../src/entities/user.js';
import { AlreadyExistsError, ValidationError } from '../../src/errors.js';
import { openAcme } from '../support/open-manager.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';

const user = (externalId: string, email: string | null) => ({ externalId, username: externalId, email });

describe('an e-mail address', () => {
  it.each([
    ['Ada@Example.com', 'ada@EXAMPLE.com'],
    ['ÄDA@example.com', 'äda@example.com'],
    ['Ångström@example.com', 'A\u030angstro\u0308m@example.com'],
  ])("is one user's within the tenant, in whatever case and form: %s", async (email, same) => {
    const { tenant } = await openAcme();
    const ada = await tenant.users.create(user('a', email));
    const error = await rejectionOf(tenant.users.create(user('b', same)), AlreadyExistsError);
    expect(error.constraint).toContain('email');
    const other = await tenant.users.create(user('c', 'other@example.com'));
    await rejectionOf(tenant.users.update(other.id, { email: same }), AlreadyExistsError);
    expect(await tenant.users.update(ada.id, { email: same })).toMatchObject({ email: same });
    expect(Object.keys(await tenant.users.get(ada.id))).not.toContain('emailKey');
  });

  it('may be missing many times, and is free again once its user has another', async () => {
    const { tenant } = await openAcme();
    const ada = await tenant.users.create(user('a', 'ada@example.com'));
    await tenant.users.create(user('b', null));
    await tenant.users.create(user('c', null));
    await tenant.users.update(ada.id, { email: null });
    const heir = await tenant.users.create(user('d', 'ADA@example.com'));
    expect(heir.email).toBe('ADA@example.com');
  });

  it("may be another tenant's too", async () => {
    const { persistence, tenant } = await openAcme();
    await persistence.tenants.ensure({ slug: 'beta', name: 'Beta' });
    await tenant.users.create(user('a', 'ada@example.com'));
    const beta = await persistence.tenant('beta').users.create(user('a', 'ada@example.com'));
    expect(beta.email).toBe('ada@example.com');
  });

  it('is unique also by units of work and statements beside them', async () => {
    const { tenant, userId } = await openAcme();
    await tenant.users.create(user('a', 'ada@example.com'));
    const flushed = tenant.transaction(async ({ users }) => {
      (await users.get(userId)).email = 'Ada@example.com';
    });
    await rejectionOf(flushed, AlreadyExistsError);
    const native = tenant.transaction(({ users }) => users.nativeUpdate({ id: userId }, { email: 'Ada@example.com' }));
    await rejectionOf(native, AlreadyExistsError);
    const made = tenant.transaction(async ({ users }) => void users.create(user('b', 'ADA@example.com')));
    await rejectionOf(made, AlreadyExistsError);
  });

  it('keeps its key where it was not loaded', async () => {
    const { tenant } = await openAcme();
    const { id } = await tenant.users.create(user('a', 'ada@example.com'));
    await tenant.transaction(async ({ em }) => {
      const [ada] = await em.find(User, { id }, { fields: ['nickname'] });
      if (ada) ada.nickname = 'x';
    });
    await rejectionOf(tenant.users.create(user('b', 'Ada@example.com')), AlreadyExistsError);
  });

  it('keeps its key where an upsert does not name it, and has a new one where it does', async () => {
    const { tenant, clock } = await openAcme();
    const { id } = await tenant.users.create(user('a', 'ada@example.com'));
    const stamps = { id, createdAt: clock.now(), updatedAt: clock.now(), metadata: {} };
    await tenant.transaction(({ em }) => em.upsert(User, { ...stamps, externalId: 'a', username: 'new' }));
    await rejectionOf(tenant.users.create(user('b', 'Ada@example.com')), AlreadyExistsError);
    const named = { ...stamps, externalId: 'a', username: 'new', email: 'eve@example.com' };
    await tenant.transaction(({ em }) => em.upsert(User, named));
    await rejectionOf(tenant.users.create(user('b', 'Eve@example.com')), AlreadyExistsError);
    await tenant.users.create(user('c', 'Ada@example.com'));
  });

  it('has no key of its own choosing', async () => {
    const { tenant, userId } = await openAcme();
    for (const emailKey of ['x', null]) {
      const native = tenant.transaction(({ users }) => users.nativeUpdate({ id: userId }, { emailKey }));
      expect(brokenRules(await rejectionOf(native, ValidationError))).toEqual(['emailKey allowed']);
    }
    const merged = { ...user('a', 'ada@example.com'), id: userId, metadata: {} };
    const alone = tenant.transaction(({ em }) => em.upsert(User, merged, { onConflictMergeFields: ['email'] }));
    expect(brokenRules(await rejectionOf(alone, ValidationError))).toEqual(['emailKey kept']);
    await tenant.transaction(async ({ users }) => {
      const ada = await users.get(userId);
      ada.email = 'ada@example.com';
      ada.emailKey = 'x';
    });
    await rejectionOf(tenant.users.create(user('b', 'Ada@example.com')), AlreadyExistsError);
  });
});
