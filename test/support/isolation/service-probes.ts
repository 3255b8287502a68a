import { NotFoundError, ReferenceNotFoundError, ValidationError } from '../../../src/errors.js';
import type { Page } from '../../../src/repositories/page.js';
import { type Probe, refused, sees } from './probe.js';

const MESSAGE = { role: 'user', content: 'from acme' } as const;
const EVER = { from: '0001-01-01', to: '9999-12-31' };
/** What a body of JSON may carry where text was due. */
const anyRow = { $ne: '' } as never;
const body = (text: string): never => JSON.parse(text) as never;

async function ids(page: Promise<Page<{ readonly id: string }>>): Promise<string[]> {
  return (await page).items.map(({ id }) => id);
}

const READS: readonly Probe[] = [
  refused('a user by id', NotFoundError, ({ acme, beta }) => acme.tenant.users.get(beta.userId)),
  refused('a user by external id', NotFoundError, ({ acme }) => acme.tenant.users.getByExternalId('beta-user')),
  refused('a conversation by id', NotFoundError, ({ acme, beta }) =>
    acme.tenant.conversations.get(beta.conversationId),
  ),
  refused('a conversation by external id', NotFoundError, ({ acme }) =>
    acme.tenant.conversations.getByExternalId('beta-chat'),
  ),
  refused('a message by id', NotFoundError, ({ acme, beta }) => acme.tenant.messages.get(beta.messageId)),
  refused("a conversation's history", NotFoundError, ({ acme, beta }) =>
    acme.tenant.messages.history(beta.conversationId),
  ),
  refused('an empty part of its history', NotFoundError, ({ acme, beta }) =>
    acme.tenant.messages.history(beta.conversationId, { after: 999 }),
  ),
  refused('a document by id', NotFoundError, ({ acme, beta }) => acme.tenant.documents.get(beta.documentId)),
  refused('a document by external id', NotFoundError, ({ acme }) =>
    acme.tenant.documents.getByExternalId('beta-document'),
  ),
  refused('a call by id', NotFoundError, ({ acme, beta }) => acme.tenant.voiceSessions.get(beta.voiceSessionId)),
  refused('a task by id', NotFoundError, ({ acme, beta }) => acme.tenant.tasks.get(beta.taskId)),
  refused('a task by its workflow', NotFoundError, ({ acme }) => acme.tenant.tasks.getByWorkflowId('beta-workflow')),
  refused('a call by external id', NotFoundError, ({ acme }) => acme.tenant.voiceSessions.getByExternalId('beta-call')),
  refused('a whole key in place of an id', NotFoundError, ({ acme, beta }) =>
    acme.tenant.users.get([beta.tenantId, beta.userId] as never),
  ),
  refused('an operator in place of an id', NotFoundError, ({ acme }) => acme.tenant.users.get(anyRow)),
  refused('an object in place of an id', NotFoundError, ({ acme, beta }) =>
    acme.tenant.users.get({ toString: () => beta.userId } as never),
  ),
  refused('a list of ids in place of one', NotFoundError, ({ acme, beta }) =>
    acme.tenant.documents.get([beta.documentId] as never),
  ),
  refused('an id with a pattern', NotFoundError, ({ acme }) => acme.tenant.users.get('%')),
  refused('an external id with a pattern', NotFoundError, ({ acme }) => acme.tenant.users.getByExternalId('beta%')),
  refused('an external id with SQL', NotFoundError, ({ acme }) =>
    acme.tenant.documents.getByExternalId(`' or tenant_id is not null --`),
  ),
];

const LISTS: readonly Probe[] = [
  sees('the list of users', true, async ({ acme }) => (await ids(acme.tenant.users.list())).join() === acme.userId),
  sees(
    'the list of documents',
    true,
    async ({ acme }) => (await ids(acme.tenant.documents.list())).join() === acme.documentId,
  ),
  sees(
    'the list of API keys',
    true,
    async ({ acme }) => (await ids(acme.tenant.apiKeys.list())).join() === acme.apiKey.id,
  ),
  sees("the list of a user's conversations", [], ({ acme, beta }) =>
    ids(acme.tenant.conversations.list({ userId: beta.userId })),
  ),
  sees('the tasks of a user there', [], ({ acme, beta }) => ids(acme.tenant.tasks.list({ userId: beta.userId }))),
  sees("the list of a user's calls", [], ({ acme, beta }) =>
    ids(acme.tenant.voiceSessions.list({ userId: beta.userId })),
  ),
  sees("the list behind another's cursor", [], async ({ acme, beta }) => {
    const after = { after: beta.userId, limit: 1_000 };
    return (await acme.tenant.users.list(after)).items.filter(({ tenantId }) => tenantId !== acme.tenantId);
  }),
  sees("the documents behind another's cursor", [], async ({ acme, beta }) => {
    const after = { after: beta.documentId, limit: 1_000 };
    return (await acme.tenant.documents.list(after)).items.filter(({ tenantId }) => tenantId !== acme.tenantId);
  }),
  sees("the conversations behind another's cursor", [], ({ acme, beta }) =>
    ids(acme.tenant.conversations.list({ userId: beta.userId, after: beta.conversationId })),
  ),
  refused('a list behind a cursor that is a condition', ValidationError, ({ acme }) =>
    acme.tenant.users.list({ after: anyRow }),
  ),
  sees(
    'the list of usage',
    true,
    async ({ acme }) => (await acme.tenant.usage.list(EVER)).map(({ model }) => model).join() === acme.tenant.slug,
  ),
  ...['secret of beta', 'beta', 'bet', '"beta" OR secret', 'beta*', 'tenant_id:beta', "' or 1 = 1 --"].map((query) =>
    sees(`a search for ${query}`, [], ({ acme }) => acme.tenant.documents.search(query)),
  ),
  sees('the statistics', [1], async ({ acme }) => [...new Set(Object.values((await acme.tenant.stats()).rows))]),
  sees("another's API key", null, ({ acme, beta }) => acme.tenant.apiKeys.verify(beta.key)),
  sees("another's API key with the own prefix", null, ({ acme, beta }) =>
    acme.tenant.apiKeys.verify(`${acme.key.slice(0, 16)}${beta.key.slice(16)}`),
  ),
  ...['bet', 'beta%', 'BETA', "beta' or 1=1 --", ''].map((slug) =>
    refused(`a tenant called ${JSON.stringify(slug)}`, NotFoundError, ({ persistence }) =>
      persistence.tenant(slug).users.list(),
    ),
  ),
  refused('a tenant called by its id', NotFoundError, ({ persistence, beta }) =>
    persistence.tenant(beta.tenantId).users.list(),
  ),
];

const WRITES: readonly Probe[] = [
  refused('a user changed', NotFoundError, ({ acme, beta }) =>
    acme.tenant.users.update(beta.userId, { nickname: 'acme was here' }),
  ),
  refused('a conversation changed', NotFoundError, ({ acme, beta }) =>
    acme.tenant.conversations.update(beta.conversationId, { title: 'x' }),
  ),
  refused('a conversation archived', NotFoundError, ({ acme, beta }) =>
    acme.tenant.conversations.archive(beta.conversationId),
  ),
  refused('a conversation reopened', NotFoundError, ({ acme, beta }) =>
    acme.tenant.conversations.reopen(beta.conversationId),
  ),
  refused('a message appended', NotFoundError, ({ acme, beta }) =>
    acme.tenant.messages.append(beta.conversationId, MESSAGE),
  ),
  refused("a message appended under another's idempotency key", NotFoundError, ({ acme, beta }) =>
    acme.tenant.messages.append(beta.conversationId, MESSAGE, { idempotencyKey: 'beta-request' }),
  ),
  sees("the result of another's idempotency key", true, async ({ acme }) => {
    const again = { role: 'user', content: `secret of ${acme.tenant.slug}` } as const;
    const options = { idempotencyKey: 'req-1' };
    return (await acme.tenant.messages.append(acme.conversationId, again, options)).id === acme.messageId;
  }),
  sees("the usage of another's idempotency key", true, async ({ acme }) => {
    const again = { provider: 'openai', model: acme.tenant.slug, userId: acme.userId };
    const { tenantId, requests } = await acme.tenant.usage.add(again, { idempotencyKey: 'req-1' });
    return tenantId === acme.tenantId && requests === 1;
  }),
  sees("usage added under another's idempotency key", 7, async ({ acme }) => {
    const used = { provider: 'openai', model: 'mine', requests: 7 };
    return (await acme.tenant.usage.add(used, { idempotencyKey: 'beta-request' })).requests;
  }),
  refused('a document changed', NotFoundError, ({ acme, beta }) =>
    acme.tenant.documents.update(beta.documentId, { title: 'x' }),
  ),
  refused('a call completed', NotFoundError, ({ acme, beta }) =>
    acme.tenant.voiceSessions.complete(beta.voiceSessionId),
  ),
  refused('a task started', NotFoundError, ({ acme, beta }) => acme.tenant.tasks.start(beta.taskId)),
  refused('a task completed', NotFoundError, ({ acme, beta }) => acme.tenant.tasks.complete(beta.taskId, 'x')),
  refused('a task failed', NotFoundError, ({ acme, beta }) => acme.tenant.tasks.fail(beta.taskId, 'x')),
  refused('a task cancelled', NotFoundError, ({ acme, beta }) => acme.tenant.tasks.cancel(beta.taskId)),
  refused('a call failed', NotFoundError, ({ acme, beta }) => acme.tenant.voiceSessions.fail(beta.voiceSessionId)),
  refused('a call cancelled', NotFoundError, ({ acme, beta }) => acme.tenant.voiceSessions.cancel(beta.voiceSessionId)),
  refused('an API key revoked', NotFoundError, ({ acme, beta }) => acme.tenant.apiKeys.revoke(beta.apiKey.id)),
  refused('an operator in place of a slug', ValidationError, ({ persistence }) =>
    persistence.tenants.ensure({ slug: anyRow, name: 'x' }),
  ),
  refused('an operator in place of the slug to suspend', ValidationError, ({ persistence }) =>
    persistence.tenants.suspend(anyRow),
  ),
  sees('a tenant that is there ensured under another name', 'Tenant beta', async ({ persistence }) => {
    return (await persistence.tenants.ensure({ slug: 'beta', name: 'stolen' })).name;
  }),
  refused('an operator in place of the id to change', ValidationError, ({ acme }) =>
    acme.tenant.users.update(anyRow, { nickname: 'acme was here' }),
  ),
  refused('a tenant given at creation', ValidationError, ({ acme, beta }) =>
    acme.tenant.users.create({ externalId: 'x', username: 'x', tenant: beta.tenantId } as never),
  ),
  refused('a tenant given by its column', ValidationError, ({ acme, beta }) =>
    acme.tenant.documents.create({ externalId: 'x', title: 'x', content: 'x', tenant_id: beta.tenantId } as never),
  ),
  refused('a tenant given by a change', ValidationError, ({ acme, beta }) =>
    acme.tenant.users.update(acme.userId, { tenantId: beta.tenantId } as never),
  ),
  refused('a tenant given as a prototype', ValidationError, ({ acme, beta }) =>
    acme.tenant.users.create(body(`{"externalId":"x","username":"x","__proto__":{"tenant":"${beta.tenantId}"}}`)),
  ),
  refused('an id given at creation', ValidationError, ({ acme, beta }) =>
    acme.tenant.users.create({ externalId: 'x', username: 'x', id: beta.userId } as never),
  ),
];

const REFERENCES: readonly Probe[] = [
  refused('a conversation of a user there', ReferenceNotFoundError, ({ acme, beta }) =>
    acme.tenant.conversations.start({ userId: beta.userId }),
  ),
  refused('a task of a user there', ReferenceNotFoundError, ({ acme, beta }) =>
    acme.tenant.tasks.create({ workflowId: 'x', query: 'x', userId: beta.userId }),
  ),
  refused('a call of a user there', ReferenceNotFoundError, ({ acme, beta }) =>
    acme.tenant.voiceSessions.start({ externalId: 'x', userId: beta.userId }),
  ),
  refused('a call in a conversation there', ReferenceNotFoundError, ({ acme, beta }) =>
    acme.tenant.voiceSessions.start({ externalId: 'x', userId: acme.userId, conversationId: beta.conversationId }),
  ),
  refused('an API key of a user there', ReferenceNotFoundError, ({ acme, beta }) =>
    acme.tenant.apiKeys.create({ name: 'x', userId: beta.userId }),
  ),
  refused('usage of a user there', ReferenceNotFoundError, ({ acme, beta }) =>
    acme.tenant.usage.add({ provider: 'x', model: 'x', userId: beta.userId }),
  ),
  refused('usage of a whole key in place of a user', ValidationError, ({ acme, beta }) =>
    acme.tenant.usage.add({ provider: 'x', model: 'x', userId: [beta.tenantId, beta.userId] as never }),
  ),
  refused('a conversation of a whole key in place of a user', ValidationError, ({ acme, beta }) =>
    acme.tenant.conversations.start({ userId: [beta.tenantId, beta.userId] as never }),
  ),
];

/** What is taken there is free here: otherwise a tenant could find out what keys another has. */
const OWN_KEYS: readonly Probe[] = [
  sees('the external id of a user there, taken here', 'beta-user', async ({ acme }) => {
    return (await acme.tenant.users.create({ externalId: 'beta-user', username: 'x' })).externalId;
  }),
  sees('the external id of a conversation there, taken here', 'beta-chat', async ({ acme }) => {
    return (await acme.tenant.conversations.start({ userId: acme.userId, externalId: 'beta-chat' })).externalId;
  }),
  sees('the external id of a document there, taken here', 'beta-document', async ({ acme }) => {
    return (await acme.tenant.documents.create({ externalId: 'beta-document', title: 'x', content: 'x' })).externalId;
  }),
  sees('the workflow of a task there, taken here', 'beta-workflow', async ({ acme }) => {
    return (await acme.tenant.tasks.create({ workflowId: 'beta-workflow', query: 'x' })).workflowId;
  }),
  sees('the external id of a call there, taken here', 'beta-call', async ({ acme }) => {
    return (await acme.tenant.voiceSessions.start({ externalId: 'beta-call', userId: acme.userId })).externalId;
  }),
  sees('the key of usage of the tenant there, taken here', 7, async ({ acme }) => {
    return (await acme.tenant.usage.add({ provider: 'openai', model: 'beta', requests: 7 })).requests;
  }),
  sees('the e-mail address of a user there, taken here', 'Beta@example.com', async ({ acme }) => {
    return (await acme.tenant.users.create({ externalId: 'x', username: 'x', email: 'Beta@example.com' })).email;
  }),
  sees('an idempotency key there, taken here', 'from acme', async ({ acme }) => {
    const options = { idempotencyKey: 'beta-request' };
    return (await acme.tenant.messages.append(acme.conversationId, MESSAGE, options)).content;
  }),
];

export const SERVICE_PROBES: readonly Probe[] = [...READS, ...LISTS, ...WRITES, ...REFERENCES, ...OWN_KEYS];
