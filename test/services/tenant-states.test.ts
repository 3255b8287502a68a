import { wrap } from '@mikro-orm/core';
import { describe, expect, it } from 'vitest';
import { ApiKey } from '../../src/entities/api-key.js';
import { Tenant } from '../../src/entities/tenant.js';
import { VoiceSession } from '../../src/entities/voice-session.js';
import {
  InvalidStateError,
  NotFoundError,
  TenantDeletedError,
  TenantSuspendedError,
  ValidationError,
  VersionConflictError,
} from '../../src/errors.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { codeOf } from '../support/conformance.js';
import { furnish, type Furnished } from '../support/furnish.js';
import { openAcme, openManager } from '../support/open-manager.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';

type Ways = readonly (readonly [what: string, way: (tenant: TenantContext, acme: Furnished) => Promise<unknown>])[];

const WRITES: Ways = [
  ['a message', ({ messages }, acme) => messages.append(acme.conversationId, { role: 'user', content: 'x' })],
  ['a user', ({ users }) => users.create({ externalId: 'new', username: 'new' })],
  ['a change', ({ conversations }, acme) => conversations.update(acme.conversationId, { title: 'new' })],
  ['a document', ({ documents }) => documents.create({ externalId: 'new', title: 'new', content: 'new' })],
  ['usage', ({ usage }) => usage.add({ provider: 'x', model: 'x' })],
  [
    'a unit of work',
    (tenant, acme) =>
      tenant.transaction(async ({ conversations }) => {
        (await conversations.get(acme.conversationId)).title = 'new';
      }),
  ],
  ['a statement beside it', (tenant) => tenant.transaction(({ users }) => users.nativeUpdate({}, { nickname: 'new' }))],
];

const READS: Ways = [
  ['history', ({ messages }, acme) => messages.history(acme.conversationId)],
  ['a row', ({ users }, acme) => users.get(acme.userId)],
  ['a list', ({ users }) => users.list()],
  ['a search', ({ documents }) => documents.search('secret')],
  ['statistics', (tenant) => tenant.stats()],
  ['a digest', (tenant) => tenant.digest()],
  ['a unit of work that reads', (tenant) => tenant.read(({ users }) => users.countRows())],
];

describe('a suspended tenant', () => {
  it.each(WRITES)('takes no write: %s', async (_what, write) => {
    const { persistence } = await openManager();
    const acme = await furnish(persistence, 'acme');
    await persistence.tenants.suspend('acme');
    const before = await acme.tenant.digest();
    const error = await rejectionOf(write(persistence.tenant('acme'), acme), TenantSuspendedError);
    expect(error.tenant).toBe('acme');
    expect(await acme.tenant.digest()).toBe(before);
    await persistence.tenants.resume('acme');
    expect(await codeOf(write(acme.tenant, acme))).toBe('resolved');
  });

  it.each(READS)('is read: %s', async (_what, read) => {
    const { persistence } = await openManager();
    const acme = await furnish(persistence, 'acme');
    await persistence.tenants.suspend('acme');
    expect(await codeOf(read(acme.tenant, acme))).toBe('resolved');
  });

  it('keeps what others write in the same transaction from being written too', async () => {
    const { persistence } = await openManager();
    const [acme, beta] = [await furnish(persistence, 'acme'), await furnish(persistence, 'beta')];
    await persistence.tenants.suspend('acme');
    const both = persistence.transaction(async () => {
      await beta.tenant.users.create({ externalId: 'new', username: 'new' });
      await acme.tenant.users.create({ externalId: 'new', username: 'new' });
    });
    await rejectionOf(both, TenantSuspendedError);
    expect(await codeOf(beta.tenant.users.getByExternalId('new'))).toBe('NOT_FOUND');
  });

  it('can be left out by a transaction that catches its error', async () => {
    const { persistence } = await openManager();
    const [acme, beta] = [await furnish(persistence, 'acme'), await furnish(persistence, 'beta')];
    await persistence.tenants.suspend('acme');
    await persistence.transaction(async () => {
      await beta.tenant.users.create({ externalId: 'new', username: 'new' });
      const refused = acme.tenant.users.create({ externalId: 'new', username: 'new' });
      await rejectionOf(refused, TenantSuspendedError);
      await acme.tenant.users.list();
    });
    expect(await codeOf(beta.tenant.users.getByExternalId('new'))).toBe('resolved');
  });

  it('is not written by a unit of work that only reads', async () => {
    const { persistence } = await openManager();
    const acme = await furnish(persistence, 'acme');
    await persistence.tenants.suspend('acme');
    const flushed = acme.tenant.read(async ({ users, em }) => {
      (await users.get(acme.userId)).nickname = 'new';
      await em.flush();
    });
    expect(await codeOf(flushed)).toBe('DATABASE_READ_ONLY');
    const native = acme.tenant.read(({ users }) => users.nativeUpdate({}, { nickname: 'new' }));
    expect(await codeOf(native)).toBe('DATABASE_READ_ONLY');
    const appended = acme.tenant.read(({ messages }) =>
      messages.append(acme.conversationId, { role: 'user', content: 'new' }),
    );
    expect(await codeOf(appended)).toBe('DATABASE_READ_ONLY');
    expect(await acme.tenant.messages.history(acme.conversationId)).toHaveLength(1);
    expect((await acme.tenant.users.get(acme.userId)).nickname).toBeNull();
  });
});

describe('a deleted tenant', () => {
  it.each([...WRITES, ...READS])('is neither written nor read: %s', async (_what, way) => {
    const { persistence } = await openManager();
    const acme = await furnish(persistence, 'acme');
    await persistence.tenants.delete('acme');
    const error = await rejectionOf(way(acme.tenant, acme), TenantDeletedError);
    expect(error.toJSON()).toMatchObject({ status: 410, tenant: 'acme' });
    expect((await persistence.tenants.get('acme')).status).toBe('deleted');
  });

  it('stays deleted', async () => {
    const { persistence } = await openManager();
    await furnish(persistence, 'acme');
    const deleted = await persistence.tenants.delete('acme');
    expect(await persistence.tenants.delete('acme')).toEqual(deleted);
    for (const way of ['suspend', 'resume'] as const) {
      await rejectionOf(persistence.tenants[way]('acme'), InvalidStateError);
    }
    await rejectionOf(persistence.tenants.update('acme', { name: 'x' }), InvalidStateError);
    const byTheOrm = persistence.withEntityManager(async (em) => {
      (await em.findOneOrFail(Tenant, { slug: 'acme' })).status = 'active';
      await em.flush();
    });
    await rejectionOf(byTheOrm, InvalidStateError);
    expect((await persistence.tenants.get('acme')).status).toBe('deleted');
  });

  it('is known to other managers within a second', async () => {
    const { persistence, clock } = await openManager();
    const acme = await furnish(persistence, 'acme');
    await acme.tenant.users.list();
    await persistence.withEntityManager(async (em) => {
      (await em.findOneOrFail(Tenant, { slug: 'acme' })).status = 'deleted';
      await em.flush();
    });
    await rejectionOf(acme.tenant.users.create({ externalId: 'new', username: 'new' }), TenantDeletedError);
    clock.advance(1_000);
    await rejectionOf(acme.tenant.users.list(), TenantDeletedError);
  });
});

describe('a change of a tenant', () => {
  it('changes what is named, leaves the rest, and raises the version', async () => {
    const { persistence } = await openManager();
    const before = await persistence.tenants.ensure({ slug: 'acme', name: 'Acme', config: { a: 1 } });
    const after = await persistence.tenants.update('acme', { plan: 'premium', quota: { users: 5 } });
    expect(after).toEqual({ ...before, plan: 'premium', quota: { users: 5 }, version: 2 });
    expect(await persistence.tenants.get('acme')).toEqual(after);
  });

  it('is refused where it breaks rules, names what is unknown, or comes too late', async () => {
    const { persistence } = await openManager();
    await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const invalid = persistence.tenants.update('acme', { name: '', quota: { users: -1 } });
    expect(brokenRules(await rejectionOf(invalid, ValidationError))).toEqual(['name isText', 'quota isQuota']);
    for (const quota of [{ user: 1 }, { users: 0.5 }, { users: '5' }, { users: null }, []] as never[]) {
      const refused = persistence.tenants.update('acme', { quota });
      await rejectionOf(refused, ValidationError);
    }
    const unknown = persistence.tenants.update('acme', { slug: 'beta' } as never);
    expect(brokenRules(await rejectionOf(unknown, ValidationError))).toEqual(['slug allowed']);
    const conflict = persistence.tenants.update('acme', { name: 'x' }, { ifVersion: 7 });
    expect((await rejectionOf(conflict, VersionConflictError)).current).toBe(1);
    await rejectionOf(persistence.tenants.update('nobody', { name: 'x' }), NotFoundError);
    expect(await persistence.tenants.get('acme')).toMatchObject({ name: 'Acme', version: 1 });
  });
});

describe('a state that has ended', () => {
  const ENDED = [
    [
      'an ended call',
      'voice session completed',
      (acme: Furnished) => ({ entity: VoiceSession, id: acme.voiceSessionId }),
    ],
    ['a revoked API key', 'api key revoked', (acme: Furnished) => ({ entity: ApiKey, id: acme.apiKey.id })],
  ] as const;

  it.each(ENDED)('is not left by a unit of work: %s', async (_what, expected, find) => {
    const { persistence } = await openManager();
    const acme = await furnish(persistence, 'acme');
    await acme.tenant.voiceSessions.complete(acme.voiceSessionId);
    await acme.tenant.apiKeys.revoke(acme.apiKey.id);
    const { entity, id } = find(acme);
    const flushed = acme.tenant.transaction(async ({ em }) => {
      const row = await em.findOneOrFail<{ id: string; status: string }>(entity as never, { id });
      row.status = 'active';
    });
    const error = await rejectionOf(flushed, InvalidStateError);
    expect(`${error.entity} ${error.state}`).toBe(expected);
  });

  it.each(ENDED)('is not left by a statement beside it: %s', async (_what, _expected, find) => {
    const { persistence } = await openManager();
    const acme = await furnish(persistence, 'acme');
    const { entity, id } = find(acme);
    const updated = acme.tenant.transaction(({ em }) =>
      em.nativeUpdate(entity as never, { id }, { status: 'active' } as never),
    );
    expect(brokenRules(await rejectionOf(updated, ValidationError))).toEqual(['status kept']);
  });

  it.each(ENDED)('is not left by an upsert: %s', async (_what, _expected, find) => {
    const { persistence } = await openManager();
    const acme = await furnish(persistence, 'acme');
    const { entity, id } = find(acme);
    const row = await acme.tenant.read(({ em }) => em.findOneOrFail<{ id: string }>(entity as never, { id }));
    const given: object = wrap(row).toPOJO();
    const upserted = acme.tenant.transaction(({ em }) => em.upsert<object>(entity, { ...given, status: 'active' }));
    expect(brokenRules(await rejectionOf(upserted, ValidationError))).toContain('status kept');
  });

  it('is reached by a unit of work, and archived conversations are active again', async () => {
    const { tenant, conversationId } = await openAcme();
    await tenant.transaction(async ({ conversations }) => {
      (await conversations.get(conversationId)).status = 'archived';
    });
    await tenant.transaction(({ conversations }) => conversations.nativeUpdate({}, { status: 'active' }));
    expect((await tenant.conversations.get(conversationId)).status).toBe('active');
  });
});
