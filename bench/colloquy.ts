import { Message, type PersistenceManager, type Row } from '../src/index.js';
import { insertRows } from '../src/repositories/insert-rows.js';
import { runtimeOf } from '../src/runtime.js';
import type { Fixture, NewMessage, Side } from './side.js';

/** Colloquy's services, as an application calls them. */
export function servicesOf(persistence: PersistenceManager, { userId }: Fixture): Side {
  const tenant = persistence.tenant('bench');
  return {
    append: ({ conversationId, content, tokenCount, idempotencyKey }) =>
      tenant.messages.append(conversationId, { role: 'user', content, tokenCount }, { idempotencyKey }),
    last50: (conversationId) => tenant.messages.history(conversationId, { last: 50 }),
    byId: (id) => tenant.messages.get(id),
    list: () => tenant.conversations.list({ userId, limit: 20 }),
    // As an import does: every row is judged, and inserted by the compiled statement.
    bulk: (messages) =>
      tenant.transaction(async ({ em }) => {
        const now = new Date();
        const rows = messages.map((message, index) => rowOf(message, index + 1, now));
        const rules = runtimeOf(em).rules.of(Message);
        for (const row of rows) rules.assert(row);
        await insertRows(em, Message, rows);
      }),
    close: async () => undefined,
  };
}

/** Colloquy's units of work: the same by managed entities of MikroORM. */
export function unitsOfWorkOf(persistence: PersistenceManager, { tenantId, userId }: Fixture): Side {
  const tenant = persistence.tenant('bench');
  return {
    append: ({ conversationId, content, tokenCount, idempotencyKey }) =>
      tenant.transaction(({ messages }) =>
        messages.append(conversationId, { role: 'user', content, tokenCount }, { idempotencyKey }),
      ),
    last50: (conversationId) =>
      tenant.read(({ messages }) =>
        messages.find({ conversation: [tenantId, conversationId] }, { orderBy: { seq: 'desc' }, limit: 50 }),
      ),
    byId: (id) => tenant.read(({ messages }) => messages.get(id)),
    list: () =>
      tenant.read(({ conversations }) =>
        conversations.find({ user: [tenantId, userId] }, { orderBy: { id: 'desc' }, limit: 21 }),
      ),
    close: async () => undefined,
  };
}

/** A message as a row that nobody has judged. */
export function rowOf(message: NewMessage, seq: number, now: Date): Row<Message> {
  const { id, tenantId, conversationId, content, tokenCount, idempotencyKey } = message;
  const nothing = { parts: null, references: null, metadata: null };
  const own = {
    id,
    tenantId,
    conversationId,
    seq,
    content,
    tokenCount,
    idempotencyKey,
    createdAt: now,
    updatedAt: now,
  };
  return { ...own, ...nothing, role: 'user', modality: 'text' };
}
