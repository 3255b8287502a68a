import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { type Furnished, furnish } from './furnish.js';
import { openManager } from './open-manager.js';

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
  'tasks',
  'idempotency_keys',
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
