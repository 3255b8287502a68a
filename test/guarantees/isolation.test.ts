import { expect, it } from 'vitest';
import {
  ColloquyError,
  NotFoundError,
  ReferenceNotFoundError,
  TenantMismatchError,
  ValidationError,
} from '../../src/errors.js';
import { openTwoTenants, type TwoTenants } from '../support/two-tenants.js';

/** What a way must come to: an error of this class, or this harmless result. */
type Outcome = abstract new (...parameters: never[]) => ColloquyError;
type Way = readonly [what: string, outcome: Outcome, call: (world: TwoTenants) => Promise<unknown>];

const MESSAGE = { role: 'user', content: 'from acme' } as const;
/** What a body of JSON may carry where text was due. */
const anyRow = { $ne: '' } as unknown as string;

const READS: readonly Way[] = [
  ['user by id', NotFoundError, ({ acme, beta }) => acme.tenant.users.get(beta.userId)],
  ['user by external id', NotFoundError, ({ acme }) => acme.tenant.users.getByExternalId('beta-user')],
  ['conversation by id', NotFoundError, ({ acme, beta }) => acme.tenant.conversations.get(beta.conversationId)],
  ['message by id', NotFoundError, ({ acme, beta }) => acme.tenant.messages.get(beta.messageId)],
  ['history', NotFoundError, ({ acme, beta }) => acme.tenant.messages.history(beta.conversationId)],
  [
    'empty history',
    NotFoundError,
    ({ acme, beta }) => acme.tenant.messages.history(beta.conversationId, { after: 999 }),
  ],
  ['document by id', NotFoundError, ({ acme, beta }) => acme.tenant.documents.get(beta.documentId)],
  ['document by external id', NotFoundError, ({ acme }) => acme.tenant.documents.getByExternalId('beta-document')],
  ['voice session by id', NotFoundError, ({ acme, beta }) => acme.tenant.voiceSessions.get(beta.voiceSessionId)],
  ['voice session by external id', NotFoundError, ({ acme }) => acme.tenant.voiceSessions.getByExternalId('beta-call')],
  [
    'row by a whole key in place of an id',
    ColloquyError,
    ({ acme, beta }) => acme.tenant.users.get([beta.tenantId, beta.userId] as never),
  ],
  ['row by an operator in place of an id', NotFoundError, ({ acme }) => acme.tenant.users.get(anyRow)],
];

const WRITES: readonly Way[] = [
  ['user', NotFoundError, ({ acme, beta }) => acme.tenant.users.update(beta.userId, { nickname: 'acme was here' })],
  [
    'conversation',
    NotFoundError,
    ({ acme, beta }) => acme.tenant.conversations.update(beta.conversationId, { title: 'x' }),
  ],
  ['archive', NotFoundError, ({ acme, beta }) => acme.tenant.conversations.archive(beta.conversationId)],
  ['reopen', NotFoundError, ({ acme, beta }) => acme.tenant.conversations.reopen(beta.conversationId)],
  ['append', NotFoundError, ({ acme, beta }) => acme.tenant.messages.append(beta.conversationId, MESSAGE)],
  ['document', NotFoundError, ({ acme, beta }) => acme.tenant.documents.update(beta.documentId, { title: 'x' })],
  ['call completed', NotFoundError, ({ acme, beta }) => acme.tenant.voiceSessions.complete(beta.voiceSessionId)],
  ['call failed', NotFoundError, ({ acme, beta }) => acme.tenant.voiceSessions.fail(beta.voiceSessionId)],
  ['call cancelled', NotFoundError, ({ acme, beta }) => acme.tenant.voiceSessions.cancel(beta.voiceSessionId)],
  ['key revoked', NotFoundError, ({ acme, beta }) => acme.tenant.apiKeys.revoke(beta.apiKey.id)],
  [
    'tenant found by an operator in place of its slug',
    ValidationError,
    ({ persistence }) => persistence.tenants.ensure({ slug: anyRow, name: 'x' }),
  ],
  [
    'row found by an operator in place of an id',
    ColloquyError,
    ({ acme }) => acme.tenant.users.update(anyRow, { nickname: 'acme was here' }),
  ],
  [
    'tenant set at creation',
    ValidationError,
    ({ acme, beta }) => acme.tenant.users.create({ externalId: 'x', username: 'x', tenant: beta.tenantId } as never),
  ],
  [
    'tenant set by a change',
    ValidationError,
    ({ acme, beta }) => acme.tenant.users.update(acme.userId, { tenantId: beta.tenantId } as never),
  ],
];

const REFERENCES: readonly Way[] = [
  [
    'conversation of a user',
    ReferenceNotFoundError,
    ({ acme, beta }) => acme.tenant.conversations.start({ userId: beta.userId }),
  ],
  [
    'call of a user',
    ReferenceNotFoundError,
    ({ acme, beta }) => acme.tenant.voiceSessions.start({ externalId: 'x', userId: beta.userId }),
  ],
  [
    'call in a conversation',
    ReferenceNotFoundError,
    ({ acme, beta }) =>
      acme.tenant.voiceSessions.start({ externalId: 'x', userId: acme.userId, conversationId: beta.conversationId }),
  ],
  [
    'key of a user',
    ReferenceNotFoundError,
    ({ acme, beta }) => acme.tenant.apiKeys.create({ name: 'x', userId: beta.userId }),
  ],
  [
    'usage of a user',
    ReferenceNotFoundError,
    ({ acme, beta }) => acme.tenant.usage.add({ provider: 'x', model: 'x', userId: beta.userId }),
  ],
  [
    'usage of a whole key in place of a user',
    ColloquyError,
    ({ acme, beta }) =>
      acme.tenant.usage.add({ provider: 'x', model: 'x', userId: [beta.tenantId, beta.userId] as never }),
  ],
  [
    'conversation of a whole key in place of a user',
    ColloquyError,
    ({ acme, beta }) => acme.tenant.conversations.start({ userId: [beta.tenantId, beta.userId] as never }),
  ],
  [
    "rows handed over in bulk under the other's name",
    TenantMismatchError,
    ({ acme, beta }) =>
      acme.tenant.transaction(async ({ users }) => users.insertRows([await beta.tenant.users.get(beta.userId)])),
  ],
];

async function assertRefused([, outcome, call]: Way): Promise<void> {
  const world = await openTwoTenants();
  const before = await world.betaRows();
  const error: unknown = await call(world).then(
    (result) => new Error(`it came to ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(outcome);
  expect(String(error)).not.toContain('secret of beta');
  expect(await world.betaRows()).toEqual(before);
}

it.each(READS)("one tenant cannot read another's %s", async (...way) => assertRefused(way));
it.each(WRITES)("one tenant cannot change another's row: %s", async (...way) => assertRefused(way));
it.each(REFERENCES)("one tenant cannot refer to another's row: %s", async (...way) => assertRefused(way));

function ids({ items }: { readonly items: readonly { readonly id: string }[] }): string[] {
  return items.map(({ id }) => id);
}

it("one tenant's lists, searches and counts hold nothing of another's", async () => {
  const { acme, beta } = await openTwoTenants();
  const { tenant } = acme;
  expect(ids(await tenant.users.list())).toEqual([acme.userId]);
  expect(ids(await tenant.documents.list())).toEqual([acme.documentId]);
  expect(ids(await tenant.apiKeys.list())).toEqual([acme.apiKey.id]);
  expect(ids(await tenant.conversations.list({ userId: beta.userId }))).toEqual([]);
  expect(ids(await tenant.voiceSessions.list({ userId: beta.userId }))).toEqual([]);
  expect((await tenant.usage.list({ from: '0001-01-01', to: '9999-12-31' })).map(({ model }) => model)).toEqual([
    'acme',
  ]);
  const { rows } = await tenant.stats();
  expect(new Set(Object.values(rows))).toEqual(new Set([1]));
});

it("another tenant's cursor opens nothing of its rows", async () => {
  const { acme, beta } = await openTwoTenants();
  const later = await acme.tenant.users.create({ externalId: 'later', username: 'later' });
  const page = await acme.tenant.users.list({ after: beta.userId });
  expect(page.items.map(({ id }) => id)).toEqual([later.id]);
  const older = await beta.tenant.users.list({ after: acme.userId });
  expect(older.items.map(({ id }) => id)).toEqual([beta.userId]);
});

it("another tenant's API key is no key here", async () => {
  const { acme, beta } = await openTwoTenants();
  expect(await acme.tenant.apiKeys.verify(beta.key)).toBeNull();
  expect(await beta.tenant.apiKeys.verify(beta.key)).toMatchObject({ id: beta.apiKey.id });
});

it("another tenant's idempotency key gives none of its messages", async () => {
  const { acme, beta } = await openTwoTenants();
  const again = { role: 'user', content: 'secret of acme' } as const;
  const first = await acme.tenant.messages.append(acme.conversationId, again, { idempotencyKey: 'req-1' });
  expect([first.id, first.id === beta.messageId]).toEqual([acme.messageId, false]);
});

it('a tenant that does not exist has nothing, whatever it is called', async () => {
  const { persistence, beta } = await openTwoTenants();
  for (const slug of ['bet', 'beta%', 'BETA', "beta' or 1=1 --", '', beta.tenantId]) {
    await expect(persistence.tenant(slug).users.list()).rejects.toBeInstanceOf(NotFoundError);
  }
});
