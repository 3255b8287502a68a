import { describe, expect, it } from 'vitest';
import { NotFoundError, ValidationError } from '../../src/errors.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openManager } from '../support/open-manager.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';

const ACME = { slug: 'acme', name: 'Acme' };

describe('ensure', () => {
  it('makes the tenant with its defaults', async () => {
    const { persistence, clock } = await openManager();
    const tenant = await persistence.tenants.ensure(ACME);
    expect(tenant).toEqual({
      ...ACME,
      id: expect.any(String),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      plan: 'free',
      status: 'active',
      config: {},
      quota: {},
      version: 1,
    });
    expect(await persistence.tenants.get('acme')).toEqual(tenant);
  });

  it('gives an existing tenant as it is', async () => {
    const { persistence, clock } = await openManager();
    const first = await persistence.tenants.ensure({ ...ACME, plan: 'premium', quota: { users: 5 } });
    clock.advance(1000);
    expect(await persistence.tenants.ensure({ slug: 'acme', name: 'Other', plan: 'free' })).toEqual(first);
  });

  it('makes one tenant when many ask at once', async () => {
    const { persistence } = await openManager({ url: await freshUrl() });
    const tenants = await Promise.all(Array.from({ length: 12 }, () => persistence.tenants.ensure(ACME)));
    expect(new Set(tenants.map(({ id }) => id)).size).toBe(1);
  });

  it.each(['Acme', 'a b', '-a', 'a-', 'a--b', 'ä', '', 'a'.repeat(64), 'a.b', 'a_b'])(
    'refuses %j as a slug',
    async (slug) => {
      const { persistence } = await openManager();
      const error = await rejectionOf(persistence.tenants.ensure({ slug, name: 'x' }), ValidationError);
      expect(brokenRules(error)).toEqual(['slug isSlug']);
    },
  );

  it.each(['a', '0', 'a-b-c', 'a'.repeat(63)])('takes %j as a slug', async (slug) => {
    const { persistence } = await openManager();
    expect((await persistence.tenants.ensure({ slug, name: 'x' })).slug).toBe(slug);
  });

  it('refuses what a caller may not set', async () => {
    const { persistence } = await openManager();
    const input = { ...ACME, status: 'suspended', version: 7 } as never;
    const error = await rejectionOf(persistence.tenants.ensure(input), ValidationError);
    expect(brokenRules(error)).toEqual(['status allowed', 'version allowed']);
  });
});

it('what is not there is said to be missing, also at the first call of its services, and can be made then', async () => {
  const { persistence } = await openManager();
  expect(await rejectionOf(persistence.tenants.get('acme'), NotFoundError)).toMatchObject({
    entity: 'tenant',
    key: 'acme',
  });
  const acme = persistence.tenant('acme');
  expect(await rejectionOf(acme.users.list(), NotFoundError)).toMatchObject({ entity: 'tenant', key: 'acme' });
  await persistence.tenants.ensure(ACME);
  expect((await acme.users.list()).items).toEqual([]);
});

it('list gives tenants in pages, the oldest first', async () => {
  const { persistence } = await openManager();
  const made: string[] = [];
  for (const slug of ['c', 'a', 'b']) made.push((await persistence.tenants.ensure({ slug, name: slug })).id);
  const first = await persistence.tenants.list({ limit: 2 });
  const second = await persistence.tenants.list({ limit: 2, after: first.next ?? '' });
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made);
  expect(second.next).toBeNull();
});
