import { Message } from '../../../src/entities/index.js';
import type { QuotaName } from '../../../src/entities/quota.js';
import { QuotaExceededError } from '../../../src/errors.js';
import { insertRows } from '../../../src/repositories/insert-rows.js';
import type { Furnished } from '../furnish.js';
import { type Probe, type ProbeWorld, sees } from './probe.js';

type Write = (acme: Furnished, name: string) => Promise<unknown>;

const append: Write = ({ tenant, conversationId }, content) =>
  tenant.messages.append(conversationId, { role: 'user', content, tokenCount: 5 });

/** What a tenant has that has one row of every kind, and writes twice: the first time up to the limit, then beyond it. */
const COUNTED: readonly (readonly [quota: QuotaName, limit: number, needed: number, write: Write])[] = [
  ['users', 2, 3, ({ tenant }, name) => tenant.users.create({ externalId: name, username: name })],
  ['conversations', 2, 3, ({ tenant, userId }) => tenant.conversations.start({ userId })],
  ['messagesPerMonth', 2, 3, append],
  ['tokensPerMonth', 5, 10, append],
  ['storageBytes', 6, 7, ({ tenant, documentId }, content) => tenant.documents.update(documentId, { content })],
];

async function limited({ persistence, acme }: ProbeWorld, quota: QuotaName, limit: number): Promise<void> {
  await persistence.tenants.update(acme.tenant.slug, { quota: { [quota]: limit } });
}

/** Another tenant's rows, which are no part of what the own quota limits, nor of what its month is counted in. */
export const QUOTA_PROBES: readonly Probe[] = [
  ...COUNTED.map(([quota, limit, needed, write]) =>
    sees(`the ${quota} there, counted here`, needed, async (world) => {
      await limited(world, quota, limit);
      await write(world.acme, 'first.');
      const error: unknown = await write(world.acme, 'second.').catch((failure: unknown) => failure);
      if (!(error instanceof QuotaExceededError)) throw error;
      return error.needed;
    }),
  ),
  sees('the id of a message there, taken here and counted', 3, async (world) => {
    const { acme, beta } = world;
    await limited(world, 'messagesPerMonth', 3);
    const message = await acme.tenant.messages.append(acme.conversationId, { role: 'user', content: 'x' });
    await acme.tenant.transaction(({ em }) =>
      insertRows(em, Message, [{ ...message, id: beta.messageId, seq: 3, idempotencyKey: null }]),
    );
    return (await acme.tenant.messages.history(acme.conversationId)).length;
  }),
];
