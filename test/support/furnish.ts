import type { ApiKeyInfo } from '../../src/services/api-keys.service.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';

export interface Populated {
  readonly tenant: TenantContext;
  readonly tenantId: string;
  readonly userId: string;
  readonly conversationId: string;
}

/** A tenant with one user and one conversation, which has no messages yet. */
export async function populate(persistence: PersistenceManager, slug: string): Promise<Populated> {
  const { id: tenantId } = await persistence.tenants.ensure({ slug, name: `Tenant ${slug}` });
  const tenant = persistence.tenant(slug);
  const user = await tenant.users.create({ externalId: `${slug}-user`, username: `user of ${slug}` });
  const conversation = await tenant.conversations.start({
    userId: user.id,
    externalId: `${slug}-chat`,
    title: `chat of ${slug}`,
  });
  return { tenant, tenantId, userId: user.id, conversationId: conversation.id };
}

export interface Furnished extends Populated {
  readonly messageId: string;
  readonly documentId: string;
  readonly voiceSessionId: string;
  readonly taskId: string;
  readonly apiKey: ApiKeyInfo;
  readonly key: string;
}

/** A tenant with one row of every kind. */
export async function furnish(persistence: PersistenceManager, slug: string): Promise<Furnished> {
  const populated = await populate(persistence, slug);
  const { tenant, userId, conversationId } = populated;
  const message = await tenant.messages.append(
    conversationId,
    { role: 'user', content: `secret of ${slug}` },
    { idempotencyKey: 'req-1' },
  );
  const document = await tenant.documents.create({
    externalId: `${slug}-document`,
    title: `secret of ${slug}`,
    content: slug,
  });
  const session = await tenant.voiceSessions.start({ externalId: `${slug}-call`, userId, conversationId });
  const { key, apiKey } = await tenant.apiKeys.create({ name: slug, userId });
  const task = await tenant.tasks.create({ workflowId: `${slug}-workflow`, query: `secret of ${slug}`, userId });
  await tenant.tasks.start(task.id);
  await tenant.usage.add({ provider: 'openai', model: slug, userId }, { idempotencyKey: 'req-1' });
  return {
    ...populated,
    taskId: task.id,
    messageId: message.id,
    documentId: document.id,
    voiceSessionId: session.id,
    apiKey,
    key,
  };
}
