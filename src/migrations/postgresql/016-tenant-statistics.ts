import { Migration } from '@mikro-orm/migrations';

const TABLES = [
  'api_keys',
  'conversations',
  'documents',
  'idempotency_keys',
  'messages',
  'tasks',
  'usage_records',
  'users',
  'voice_sessions',
];

/**
 * Lets the planner believe that a tenant has a thousand rows of each kind. Where most tenants have one, it takes any index that begins with
 * the tenant to be as good as the one that leads to the row, and then reads all rows of a large tenant for each of its rows; see `n_distinct`
 * in https://www.postgresql.org/docs/current/sql-altertable.html. Citus changes no such option of a distributed table.
 */
export class SetTenantStatistics extends Migration {
  override up(): void {
    for (const table of TABLES) this.addSql(onOneNode(table, 'set (n_distinct = -0.001)'));
  }

  override down(): void {
    for (const table of TABLES) this.addSql(onOneNode(table, 'reset (n_distinct)'));
  }
}

function onOneNode(table: string, change: string): string {
  return `
    do $$
      declare
        is_distributed boolean := false;
      begin
        if to_regclass('pg_catalog.pg_dist_partition') is not null then
          select exists (select from pg_catalog.pg_dist_partition where logicalrelid = '"${table}"'::regclass) into is_distributed;
        end if;
        if not is_distributed then
          alter table "${table}" alter column "tenant_id" ${change};
        end if;
      end
    $$`;
}
