import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';

/** A document, under a key. */
export const MENU = [
  { externalId: 'doc-1', title: 'Menu', content: 'Soup\r\n\tBread\u2028', source: 'menu.txt' },
  { idempotencyKey: 'réq 1' },
] as const;

/** Makes a tenant with rows of every entity, with what engines may store otherwise: nulls, scripts, order of keys, money. */
export async function makeEveryEntity(persistence: PersistenceManager, slug: string): Promise<TenantContext> {
  await persistence.tenants.ensure({
    slug,
    name: `Tenant ${slug}`,
    plan: 'premium',
    config: { z: 1, a: { b: [1.5, null] } },
  });
  const tenant = persistence.tenant(slug);
  const ada = await tenant.users.create({
    externalId: 'ada',
    username: 'Ada Łovelace',
    nickname: '阿达 👩‍💻',
    email: 'ada@example.com',
    phone: '+14155550123',
    metadata: { zeta: 1, alpha: '"quoted" \\ line\nfeed' },
  });
  const bob = await tenant.users.create({ externalId: 'Bob', username: "Robert'); drop table users; --" });
  await tenant.apiKeys.create({ name: 'for ada', userId: ada.id, scopes: ['messages:write', 'messages:read'] });
  const { apiKey } = await tenant.apiKeys.create({ name: 'revoked', expiresAt: new Date('2030-01-01T00:00:00.001Z') });
  await tenant.apiKeys.revoke(apiKey.id);
  const dinner = await tenant.conversations.start({
    userId: ada.id,
    externalId: 'web:1',
    title: 'Dinner',
    metadata: { b: 1, a: 2 },
  });
  const unnamed = await tenant.conversations.start({ userId: bob.id });
  await tenant.messages.append(
    dinner.id,
    { role: 'user', content: 'A table for two, please', parts: [{ type: 'text', z: 1, a: 2 }], tokenCount: 7 },
    { idempotencyKey: 'req-1' },
  );
  await tenant.messages.append(dinner.id, {
    role: 'assistant',
    content: 'At what time? 何時？',
    references: [{ id: 'doc-1' }],
  });
  await tenant.messages.append(dinner.id, {
    role: 'user',
    content: '',
    modality: 'voice',
    metadata: { loudness: -12.25 },
  });
  await tenant.messages.append(unnamed.id, { role: 'system', content: 'Trailing spaces stay  ' });
  await tenant.conversations.archive(unnamed.id);
  await tenant.documents.create(...MENU);
  const call = { userId: ada.id, startTime: new Date('2026-01-01T10:00:00.123Z') };
  const ended = await tenant.voiceSessions.start({
    ...call,
    externalId: 'call-1',
    conversationId: dinner.id,
    config: { codec: 'opus' },
  });
  await tenant.voiceSessions.complete(ended.id, {
    endTime: new Date('2026-01-01T10:00:59.999Z'),
    audioDurationSeconds: 59.1,
  });
  await tenant.voiceSessions.start({ ...call, externalId: 'call-2' });
  const used = { day: '2026-01-01', provider: 'openai', model: 'gpt', promptTokens: 5_000_000_000, audioSeconds: 0.1 };
  await tenant.usage.add({ ...used, userId: ada.id, costUsd: '123456789.000001' });
  await tenant.usage.add({ ...used, costUsd: '1.50' });
  const task = { workflowId: 'wf-1', userId: ada.id, query: 'Book a table', metadata: { b: 1, a: 2 } };
  const { id: taskId } = await tenant.tasks.create(task);
  await tenant.tasks.start(taskId);
  await tenant.tasks.complete(taskId, 'At seven 七時', { costUsd: '123456789.000001', complexityScore: 0.1 });
  await tenant.tasks.create({ workflowId: 'wf-2', query: 'Wait', schedule: '0 9 * * *', triggerType: 'schedule' });
  return tenant;
}
