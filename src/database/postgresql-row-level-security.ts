import type { EntityMetadata, MetadataStorage, PolicyDef } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { ConfigurationError } from '../errors.js';
import { OPERATOR_ROLE, SECURITY_SETTING, TENANT_ROLE, TENANT_SETTING } from './postgresql-sessions.js';
import type { PostgreSqlSettings } from './postgresql-url.js';

const TENANTS = 'tenants';
const TENANT_COLUMN = 'tenant_id';
const GRANT_SEARCH = `grant insert, delete, select (tenant_id, document_id) on document_terms to ${TENANT_ROLE}; grant execute on function documents_with_terms(uuid, tsquery) to ${TENANT_ROLE}`;
/** An id that no tenant has. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

/**
 * Tells MikroORM of the policies that the migrations make, so that its check finds a missing one, and one that nobody asked for. It
 * compares texts, so they are written as the server writes them.
 */
export function declarePolicies(storage: MetadataStorage): void {
  const security = `(current_setting('${SECURITY_SETTING}'::text, true) = 'off'::text)`;
  for (const table of tablesOf(storage)) {
    const own = `(${table.column} = (NULLIF(current_setting('${TENANT_SETTING}'::text, true), ''::text))::uuid)`;
    const every = table.name === TENANTS ? 'true' : security;
    table.metadata.rowLevelSecurity = 'force';
    table.metadata.policies = [
      policy('tenant', TENANT_ROLE, own),
      policy('operator', OPERATOR_ROLE, every),
    ] as EntityMetadata['policies'];
  }
}

function policy(name: string, role: string, condition: string): PolicyDef {
  return { name, roles: [role], using: condition, check: condition };
}

interface SecuredTable {
  readonly metadata: EntityMetadata;
  readonly name: string;
  /** Names the tenant that a row belongs to. */
  readonly column: string;
}

/** The tables whose rows are tenants, or belong to one. */
function tablesOf(storage: MetadataStorage): SecuredTable[] {
  return [...storage.getAll().values()].flatMap((metadata) => {
    const { tableName: name, props } = metadata;
    const isOwned = props.some(({ primary, fieldNames }) => primary && fieldNames?.includes(TENANT_COLUMN));
    if (name !== TENANTS && !isOwned) return [];
    return { metadata, name, column: isOwned ? TENANT_COLUMN : 'id' };
  });
}

/** What is to be typed before `user` may take the roles. */
export function howToGrantRoles(user: string): string {
  const roles = `${TENANT_ROLE}, ${OPERATOR_ROLE}`;
  return `let a superuser type what is missing of: create role ${TENANT_ROLE} nologin; create role ${OPERATOR_ROLE} nologin; grant ${roles} to ${quote(user)}; or put rowLevelSecurity=false into DATABASE_URL`;
}

/** Whether the roles can be taken, and may do what they must; or, where row-level security is switched off, whether it is. */
export async function assertSecurityUsable(em: SqlEntityManager, settings: PostgreSqlSettings): Promise<void> {
  if (!settings.rowLevelSecurity) return assertUnbound(em, settings.user);
  const tenant = em.fork();
  tenant.setSessionContext({ role: TENANT_ROLE, variables: { [TENANT_SETTING]: NO_TENANT } });
  await tenant.execute('select 1');
  const tables = tablesOf(em.getMetadata()).map(({ name }) => name);
  const sql = `select row_security_active('${TENANTS}') and not pg_has_role('${OPERATOR_ROLE}', 'usage') as is_no_operator,
                      exists (select from pg_class where oid = any (array[?]::regclass[]) and not relrowsecurity) as is_unsecured,
                      current_schema() as schema, has_schema_privilege('${TENANT_ROLE}', current_schema(), 'usage') as can_use_schema,
                      array(select name from unnest(array[?]::text[]) as name
                             where not has_table_privilege('${TENANT_ROLE}', name, case name when '${TENANTS}' then 'update' else 'insert' end)) as lacking,
                      has_table_privilege('${TENANT_ROLE}', 'document_terms', 'insert')
                        and has_function_privilege('${TENANT_ROLE}', 'documents_with_terms(uuid, tsquery)', 'execute') as can_search`;
  const [found] = await em.execute<Found[]>(sql, [tables, tables]);
  const problem = found && problemOf(found, settings.user);
  if (problem) throw new ConfigurationError([problem]);
}

interface Found {
  readonly is_no_operator: boolean;
  readonly is_unsecured: boolean;
  readonly schema: string;
  readonly can_use_schema: boolean;
  readonly lacking: readonly string[];
  readonly can_search: boolean;
}

function problemOf(found: Found, user: string): string | undefined {
  if (found.is_no_operator) return `${quote(user)} is no member of ${OPERATOR_ROLE}; ${howToGrantRoles(user)}`;
  if (found.is_unsecured) {
    return `tables have no row-level security, as they were made with rowLevelSecurity=false and without the roles; let their owner type: delete from schema_migrations where name like '%-row-level-security'; and run "colloquy migrate up"`;
  }
  const owned = found.lacking.filter((name) => name !== TENANTS);
  const grants = [
    ...(found.can_use_schema ? [] : [`grant usage on schema ${quote(found.schema)} to ${TENANT_ROLE};`]),
    ...(owned.length > 0 ? [`grant select, insert, update, delete on ${owned.join(', ')} to ${TENANT_ROLE};`] : []),
    ...(found.lacking.includes(TENANTS) ? [`grant select, update on ${TENANTS} to ${TENANT_ROLE};`] : []),
    ...(found.can_search ? [] : [`${GRANT_SEARCH};`]),
  ];
  if (grants.length === 0) return undefined;
  return `the role ${TENANT_ROLE} lacks privileges; let the owner of the tables type: ${grants.join(' ')}`;
}

/** Who is bound sees no rows of tenants unless he is an operator and his connection says so, which a pooler may have dropped. */
async function assertUnbound(em: SqlEntityManager, user: string): Promise<void> {
  const sql = `select row_security_active('${TENANTS}') as is_bound, current_setting('${SECURITY_SETTING}', true) = 'off' as says_so,
                      exists (select from pg_roles where rolname = '${OPERATOR_ROLE}' and pg_has_role(oid, 'usage')) as is_operator`;
  const [row] = await em.execute<{ is_bound: boolean; says_so: boolean | null; is_operator: boolean }[]>(sql);
  if (!row?.is_bound || (row.says_so === true && row.is_operator)) return;
  const typed = row.is_operator
    ? `alter role ${quote(user)} set ${SECURITY_SETTING} = 'off';`
    : `grant ${OPERATOR_ROLE} to ${quote(user)};`;
  const problem = `rowLevelSecurity=false has no effect, as the tables are secured and ${row.is_operator ? 'the setting was lost on the way to the server' : `${quote(user)} is no member of ${OPERATOR_ROLE}`}; let a superuser type: ${typed}`;
  throw new ConfigurationError([problem]);
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
