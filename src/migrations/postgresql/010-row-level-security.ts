import { Migration } from '@mikro-orm/migrations';

const ROLES = `array['colloquy_tenant', 'colloquy_operator']`;
const TENANT_OWNED = `array['users', 'api_keys', 'conversations', 'messages', 'documents', 'voice_sessions', 'usage_records']`;

/**
 * Two roles that nobody logs in as. They belong to the server, so another database may have made them, or be making them now.
 * `colloquy.roles` is what the migrating connection says of them: without row-level security it can do without.
 */
const CREATE_ROLES = `
  do $$
  declare
    wanted name;
  begin
    foreach wanted in array ${ROLES} loop
      if not exists (select from pg_roles where rolname = wanted) then
        begin
          execute format('create role %I nologin', wanted);
        exception when duplicate_object or unique_violation then
          null;
        end;
      end if;
      if not (select rolsuper from pg_roles where rolname = current_user) then
        begin
          execute format('grant %I to %I', wanted, current_user);
        exception
          when unique_violation then
            null;
          when insufficient_privilege then
            if not pg_has_role(wanted, 'member') then raise; end if;
        end;
      end if;
    end loop;
  exception when insufficient_privilege then
    if current_setting('colloquy.roles', true) is distinct from 'optional' then
      raise exception using errcode = 'insufficient_privilege', message = sqlerrm, constraint = 'colloquy_tenant';
    end if;
  end $$`;

/** Where the roles could not be had, nothing is secured. */
const SECURE = `
  do $$
  declare
    owned constant name[] := ${TENANT_OWNED};
    tab name;
  begin
    if (select count(*) from pg_roles where rolname = any (${ROLES}) and pg_has_role(oid, 'member')) < 2 then
      return;
    end if;

    execute format('grant usage on schema %I to colloquy_tenant, colloquy_operator', current_schema());
    grant select, update on tenants to colloquy_tenant;
    grant select, insert, update, delete on tenants to colloquy_operator;
    grant select on schema_migrations to colloquy_operator;

    alter table tenants enable row level security;
    alter table tenants force row level security;
    create policy tenant on tenants to colloquy_tenant
      using (id = nullif(current_setting('colloquy.tenant_id', true), '')::uuid)
      with check (id = nullif(current_setting('colloquy.tenant_id', true), '')::uuid);
    create policy operator on tenants to colloquy_operator using (true) with check (true);

    foreach tab in array owned loop
      execute format('grant select, insert, update, delete on %I to colloquy_tenant, colloquy_operator', tab);
      execute format('alter table %I force row level security', tab);
    end loop;
    -- Nobody reads the words that search looks up but its function, whose owner is therefore not bound there.
    grant insert, delete, select (tenant_id, document_id) on document_terms to colloquy_tenant, colloquy_operator;
    grant execute on function documents_with_terms(uuid, tsquery) to colloquy_tenant, colloquy_operator;

    foreach tab in array owned || array['document_terms'::name] loop
      execute format('alter table %I enable row level security', tab);
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
    foreach tab in array ${TENANT_OWNED} || array['tenants', 'document_terms'] loop
      execute format('drop policy if exists tenant on %I', tab);
      execute format('drop policy if exists operator on %I', tab);
      execute format('alter table %I no force row level security', tab);
      execute format('alter table %I disable row level security', tab);
    end loop;
    for made in select rolname from pg_roles where rolname = any (${ROLES}) loop
      foreach tab in array ${TENANT_OWNED} || array['tenants', 'document_terms', 'schema_migrations'] loop
        execute format('revoke all on %I from %I', tab, made);
      end loop;
      execute format('revoke execute on function documents_with_terms(uuid, tsquery) from %I', made);
      execute format('revoke usage on schema %I from %I', current_schema(), made);
    end loop;
  end $$`;

/**
 * A tenant's statements run as `colloquy_tenant`, which sees the rows of the tenant that `colloquy.tenant_id` names, and none without.
 * The connecting user is a member of `colloquy_operator`, which sees all tenants, and their rows only while it says that
 * `colloquy.row_level_security` is off. The owner of the tables is bound too, a superuser never is.
 *
 * Privileges are granted table by table: default privileges would open whatever else the owner keeps in the schema.
 */
export class SecureRows extends Migration {
  override up(): void {
    this.addSql(CREATE_ROLES);
    this.addSql(SECURE);
  }

  /** The roles stay: another database may use them, and without privileges they can do nothing. */
  override down(): void {
    this.addSql(UNSECURE);
  }
}
