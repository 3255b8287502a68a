import { expect, it } from 'vitest';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { engineUnderTest } from '../support/engine-under-test.js';
import { openAcme, type OpenedManager, populate, type Populated } from '../support/open-manager.js';
import { sentStatements } from '../support/sent-statements.js';

const MANY = 40;

/** Conversations of one message each, which says whose and which it is. */
async function conversationsOf({ tenant, userId }: Pick<Populated, 'tenant' | 'userId'>, name: string) {
  return Promise.all(
    Array.from({ length: MANY }, async (_unused, index) => {
      const content = `${name} ${String(index)}`;
      const { id: conversationId } = await tenant.conversations.start({ userId, title: content });
      const { id } = await tenant.messages.append(conversationId, { role: 'user', content });
      return { conversationId, id, content };
    }),
  );
}

type Talk = Awaited<ReturnType<typeof conversationsOf>>[number];

async function open(): Promise<OpenedManager & Populated & { readonly talks: readonly Talk[] }> {
  const acme = await openAcme({ cache: false });
  return { ...acme, talks: await conversationsOf(acme, 'acme') };
}

const reads = (tenant: TenantContext, { conversationId, id }: Talk) =>
  [
    tenant.messages.get(id).then(({ content }) => content),
    tenant.messages.history(conversationId).then((history) => history.map(({ content }) => content).join()),
    tenant.conversations.get(conversationId).then(({ title }) => title),
  ] as const;

it('reads of many callers in two tenants each give what was asked for, of their own', async () => {
  const { persistence, tenant, talks } = await open();
  const beta = await populate(persistence, 'beta');
  const others = await conversationsOf(beta, 'beta');
  const asked = talks.flatMap((talk, index) => {
    const other = others[index] as Talk;
    return [...reads(tenant, talk), ...reads(beta.tenant, other)].map((given, at) => {
      return { given, wanted: at < 3 ? talk.content : other.content };
    });
  });
  expect(await Promise.all(asked.map(({ given }) => given))).toEqual(asked.map(({ wanted }) => wanted));
});

it('a read that finds nothing among many fails alone', async () => {
  const { persistence, tenant, talks } = await open();
  const beta = await populate(persistence, 'beta');
  const outcomes = await Promise.allSettled(
    talks.flatMap((talk) => [tenant.messages.get(talk.id), beta.tenant.messages.get(talk.id)]),
  );
  const told = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value.content : (outcome.reason as { readonly code: string }).code,
  );
  expect(told).toEqual(talks.flatMap(({ content }) => [content, 'NOT_FOUND']));
});

it('reads that would wait for one another go to the server together, and one that it refuses fails alone', async ({
  skip,
}) => {
  skip(!['postgresql', 'pgbouncer'].includes(engineUnderTest.name), 'elsewhere each goes by itself');
  const { persistence, tenant, talks } = await open();
  await tenant.users.list();
  const sent = await sentStatements(persistence);
  await Promise.all(talks.map(({ id }) => tenant.messages.get(id)));
  expect(sent.length, sent.join('\n')).toBeLessThan(MANY / 2);
  const before = sent.length;
  await Promise.all(talks.map(({ conversationId }) => tenant.messages.history(conversationId, { last: 5_000 })));
  expect(sent.length - before, 'long reads keep nobody waiting').toBe(MANY);
  await persistence.withEntityManager((em) => em.execute('alter table users rename to people'));
  const all = [...talks, ...talks].map(({ id }, index) =>
    index === MANY ? tenant.users.list() : tenant.messages.get(id),
  );
  const outcomes = await Promise.allSettled(all);
  expect(outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([MANY]);
});
