import { expect, it } from 'vitest';
import { engineUnderTest } from '../support/engine-under-test.js';
import { openAcme, type OpenedManager, type Populated } from '../support/open-manager.js';
import { ranStatements, sentStatements } from '../support/sent-statements.js';

type World = OpenedManager & Populated & { readonly messageId: string };

const MESSAGE = { role: 'user', content: 'A table for two, please', tokenCount: 6 } as const;

interface Case {
  /** `n` is another number each time. */
  readonly call: (world: World, n: number) => Promise<unknown>;
  /** What is sent, each in a round trip of its own: on PostgreSQL, and through a pooler; and on MariaDB. */
  readonly postgresql: number;
  readonly mariadb: number;
  /** What an embedded database runs, beginnings and ends of transactions among it. */
  readonly sqlite: number;
  /** Whether the cache may answer. */
  readonly isCached?: boolean;
}

/** How often a hot path, and a unit of work, goes to the server and back, or has a statement run; a number that grows is a call that has become slower. */
const CASES: Readonly<Record<string, Case>> = {
  'a message by its id': {
    call: ({ tenant, messageId }) => tenant.messages.get(messageId),
    postgresql: 1,
    mariadb: 1,
    sqlite: 1,
  },
  'a message by its id that was read before': {
    call: ({ tenant, messageId }) => tenant.messages.get(messageId),
    isCached: true,
    postgresql: 0,
    mariadb: 0,
    sqlite: 1,
  },
  'a user by the external id': {
    call: ({ tenant }) => tenant.users.getByExternalId('acme-user'),
    postgresql: 1,
    mariadb: 1,
    sqlite: 1,
  },
  'the last 50 messages': {
    call: ({ tenant, conversationId }) => tenant.messages.history(conversationId),
    postgresql: 1,
    mariadb: 1,
    sqlite: 1,
  },
  'a page of conversations': {
    call: ({ tenant, userId }) => tenant.conversations.list({ userId, limit: 20 }),
    postgresql: 1,
    mariadb: 1,
    sqlite: 1,
  },
  'an append': {
    call: ({ tenant, conversationId }) => tenant.messages.append(conversationId, MESSAGE),
    postgresql: 1,
    mariadb: 6,
    sqlite: 4,
  },
  'an append under an idempotency key': {
    call: ({ tenant, conversationId }, n) =>
      tenant.messages.append(conversationId, MESSAGE, { idempotencyKey: `key ${String(n)}` }),
    postgresql: 1,
    mariadb: 6,
    sqlite: 4,
  },
  'an append that was made before': {
    call: ({ tenant, conversationId }) => tenant.messages.append(conversationId, MESSAGE, { idempotencyKey: 'k' }),
    postgresql: 2,
    mariadb: 5,
    sqlite: 5,
  },
  'eight appends at once to one conversation: the first, and the others together': {
    call: ({ tenant, conversationId }) =>
      Promise.all(Array.from({ length: 8 }, () => tenant.messages.append(conversationId, MESSAGE))),
    postgresql: 2,
    mariadb: 12,
    sqlite: 18,
  },
  'an append in a unit of work': {
    call: ({ tenant, conversationId }) =>
      tenant.transaction(({ messages }) => messages.append(conversationId, MESSAGE)),
    postgresql: 5,
    mariadb: 6,
    sqlite: 5,
  },
  'a conversation that is renamed in a unit of work': {
    call: ({ tenant, conversationId }, n) =>
      tenant.transaction(async ({ conversations }) => {
        (await conversations.get(conversationId)).title = `Dinner, moved ${String(n)} times`;
      }),
    postgresql: 6,
    mariadb: 6,
    sqlite: 5,
  },
};

it.for(Object.entries(CASES))('%s goes to the database no more often than it must', async ([, counted]) => {
  const { name } = engineUnderTest;
  const acme = await openAcme(counted.isCached ? {} : { cache: false });
  const { id: messageId } = await acme.tenant.messages.append(acme.conversationId, MESSAGE);
  const world = { ...acme, messageId };
  // The tenant is looked up, and statements are prepared.
  await counted.call(world, 1);
  const sent = await (name === 'sqlite' ? ranStatements : sentStatements)(world.persistence);
  await counted.call(world, 2);
  const engine = name === 'mariadb' || name === 'sqlite' ? name : 'postgresql';
  expect(sent, sent.join('\n')).toHaveLength(counted[engine]);
});
