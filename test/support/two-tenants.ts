import type { ApiKeyInfo } from '../../src/services/api-keys.service.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { openManager, type Populated, populate } from './open-manager.js';

export interface Furnished extends Populated {
  readonly messageId: string;
  readonly documentId: string;
  readonly voiceSessionId: string;
  readonly apiKey: ApiKeyInfo;
  readonly key: string;
}

export interface TwoTenants {
  readonly persistence: PersistenceManager;
  readonly acme: Furnished;
  readonly beta: Furnished;
  /** Every row of beta, as the database has it. */
  betaRows(): Promise<Record<string, unknown>>;
}

export const TENANT_TABLES = [
  'users',
  'api_keys',
  'conversations',
  'messages',
  'documents',
  'voice_sessions',
  'usage_records',
];

/** Two tenants with one row of every kind each. */
export async function openTwoTenants(): Promise<TwoTenants> {
  const { persistence } = await openManager();
  const acme = await furnish(persistence, 'acme');
  const beta = await furnish(persistence, 'beta');
  const connection = persistence.orm.em.getConnection();
  return {
    persistence,
    acme,
    beta,
    async betaRows() {
      const rows: Record<string, unknown> = {
        tenants: await connection.execute('select * from tenants where id = ?', [beta.tenantId]),
      };
      for (const table of TENANT_TABLES) {
        rows[table] = await connection.execute(`select * from ${table} where tenant_id = ? order by id`, [
          beta.tenantId,
        ]);
      }
      return rows;
    },
  };
}

/** A populated tenant with one row of every kind. */
export async function furnish(persistence: PersistenceManager, slug: string): Promise<Furnished> {
  const populated = await populate(persistence, slug);
  const { tenant, userId, conversationId } = populated;
  const message = await tenant.messages.append(
    conversationId,
    { role: 'user', content: `secret of ${slug}` },
    { idempotencyKey: 'req-1' },
  );
  const document = await tenant.documents.create({ externalId: `${slug}-document`, title: 'secret', content: slug });
  const session = await tenant.voiceSessions.start({ externalId: `${slug}-call`, userId, conversationId });
  const { key, apiKey } = await tenant.apiKeys.create({ name: slug, userId });
  await tenant.usage.add({ provider: 'openai', model: slug, userId });
  return { ...populated, messageId: message.id, documentId: document.id, voiceSessionId: session.id, apiKey, key };
}
