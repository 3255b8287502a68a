import { Migration } from '@mikro-orm/migrations';

/** The tables that came after the migration `010-row-level-security`, secured as that one secures those before it, if it has. */
const SECURE = `
  do $$
  declare
    tab name;
  begin
    if not (select relrowsecurity from pg_class where oid = to_regclass('tenants')) then
      return;
    end if;
    foreach tab in array array['quota_months'::name, 'idempotency_keys', 'tasks'] loop
      execute format('grant select, insert, update, delete on %I to colloquy_tenant, colloquy_operator', tab);
      execute format('alter table %I enable row level security', tab);
      execute format('alter table %I force row level security', tab);
      execute format('drop policy if exists tenant on %I', tab);
      execute format('drop policy if exists operator on %I', tab);
      execute format($policy$
        create policy tenant on %I to colloquy_tenant
          using (tenant_id = nullif(current_setting('colloquy.tenant_id', true), '')::uuid)
          with check (tenant_id = nullif(current_setting('colloquy.tenant_id', true), '')::uuid)
        $policy$, tab);
      execute format($policy$
        create policy operator on %I to colloquy_operator
          using (current_setting('colloquy.row_level_security', true) = 'off')
          with check (current_setting('colloquy.row_level_security', true) = 'off')
        $policy$, tab);
    end loop;
  end $$`;

const UNSECURE = `
  do $$
  declare
    tab name;
    made name;
  begin
    foreach tab in array array['quota_months'::name, 'idempotency_keys', 'tasks'] loop
      execute format('drop policy if exists tenant on %I', tab);
      execute format('drop policy if exists operator on %I', tab);
      execute format('alter table %I no force row level security', tab);
      execute format('alter table %I disable row level security', tab);
      for made in select rolname from pg_roles where rolname in ('colloquy_tenant', 'colloquy_operator') loop
        execute format('revoke all on %I from %I', tab, made);
      end loop;
    end loop;
  end $$`;

export class SecureMoreRows extends Migration {
  override up(): void {
    this.addSql(SECURE);
  }

  override down(): void {
    this.addSql(UNSECURE);
  }
}
