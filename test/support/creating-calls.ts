import type { CreateOptions } from '../../src/services/once.js';
import type { TenantContext } from '../../src/services/tenant-context.js';

/** Whose rows are made. */
export interface Maker {
  readonly tenant: TenantContext;
  readonly userId: string;
  readonly conversationId: string;
}

/** A call that makes something. */
export interface CreatingCall {
  readonly name: string;
  readonly table: string;
  /** Makes the n-th, and gives its row. `text` is a part of what is asked for, which no key is found by. */
  readonly make: (maker: Maker, n: number, options?: CreateOptions, text?: string) => Promise<{ readonly id: string }>;
}

const START = new Date('2026-01-01T10:00:00.123Z');
const metadata = (text: string): Record<string, unknown> => ({ b: [1.5, null, text], a: { text, dropped: undefined } });

/** Every creating call but the append of a message, which keeps its key by itself. */
export const CREATING_CALLS: readonly CreatingCall[] = [
  {
    name: 'users.create',
    table: 'users',
    make: ({ tenant }, n, options, text = 'x') =>
      tenant.users.create({ externalId: `u-${String(n)}`, username: text, metadata: metadata(text) }, options),
  },
  {
    name: 'conversations.start',
    table: 'conversations',
    make: ({ tenant, userId }, n, options, text = 'x') =>
      tenant.conversations.start({ userId, title: `${text} ${String(n)}`, metadata: metadata(text) }, options),
  },
  {
    name: 'documents.create',
    table: 'documents',
    make: ({ tenant }, n, options, text = 'x') =>
      tenant.documents.create({ externalId: `d-${String(n)}`, title: '菜单', content: `${text}\r\n` }, options),
  },
  {
    name: 'voiceSessions.start',
    table: 'voice_sessions',
    make: ({ tenant, userId }, n, options, text = 'x') => {
      const session = { externalId: `v-${String(n)}`, userId, startTime: START, config: { text } };
      return tenant.voiceSessions.start(session, options);
    },
  },
  {
    name: 'apiKeys.create',
    table: 'api_keys',
    make: async ({ tenant, userId }, n, options = {}, text = 'x') =>
      (await tenant.apiKeys.create({ name: `${text} ${String(n)}`, userId, expiresAt: START }, options)).apiKey,
  },
  {
    name: 'usage.add',
    table: 'usage_records',
    make: ({ tenant, userId }, _n, options, text = 'x') =>
      tenant.usage.add({ userId, day: '2026-01-01', provider: 'p', model: text, costUsd: '1.50' }, options),
  },
  {
    name: 'tasks.create',
    table: 'tasks',
    make: ({ tenant, userId }, n, options, text = 'x') =>
      tenant.tasks.create({ workflowId: `w-${String(n)}`, userId, query: text, metadata: metadata(text) }, options),
  },
];

/** The append of a message to the maker's conversation, whose key is a part of the message. */
export const APPEND: CreatingCall = {
  name: 'messages.append',
  table: 'messages',
  make: ({ tenant, conversationId }, n, options, text = 'x') =>
    tenant.messages.append(conversationId, { role: 'user', content: `${text} ${String(n)}`, tokenCount: 1 }, options),
};
