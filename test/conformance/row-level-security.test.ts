import { Client, type QueryResult } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { ENGINES } from '../support/engines.js';
import { type Furnished, furnish } from '../support/furnish.js';
import { TENANT_TABLES } from '../support/two-tenants.js';

const POSTGRESQL = ENGINES.filter(({ name }) => name === 'postgresql');

// A file without tests is an error.
if (POSTGRESQL.length === 0) it.skip('row-level security', () => undefined);

/** What quotas count in is no entity, and its rows have no id. */
const OWNED = [...TENANT_TABLES, 'quota_months'];
const TABLES = ['tenants', ...OWNED];

/** What, beside the tenant, makes a row's key. */
const keyOf = (table: string): string => (table === 'quota_months' ? 'month' : 'id');

/** What a row is found by, and not another tenant's: months have the same names for all. */
const nameOf = (table: string): string => (table === 'quota_months' ? 'tenant_id' : 'id');

/** A row as JSON, for the server to make a row of it again. */
type JsonRow = Readonly<Record<string, unknown>>;

interface World {
  readonly client: Client;
  readonly acme: Furnished;
  readonly beta: Furnished;
  /** A row of each table of each tenant. */
  readonly rows: ReadonlyMap<string, Rows>;
}

interface Rows {
  readonly own: JsonRow;
  readonly other: JsonRow;
}

/** What one tenant's statement tries to do to another's row of a table; it reaches it when the server lets it, and it finds a row. */
interface Probe {
  readonly what: string;
  readonly tables: readonly string[];
  readonly send: (client: Client, table: string, rows: Rows) => Promise<QueryResult>;
}

const NEW_ID = '01890000-0000-7000-8000-000000000001';
const INSERT = (table: string) => `insert into ${table} select * from json_populate_record(null::${table}, $1)`;

/** Keys that the new row must not share with the one that it is made of. */
const fresh = (row: JsonRow): JsonRow => ({
  ...row,
  id: NEW_ID,
  slug: 'fresh',
  external_id: 'fresh',
  workflow_id: 'fresh',
  prefix: 'fresh',
  seq: 1_000,
  idempotency_key: 'fresh',
  model: 'fresh',
  month: '2000-01',
});

const PROBES: readonly Probe[] = [
  {
    what: 'selects it',
    tables: TABLES,
    send: (client, table, { other }) =>
      client.query(`select from ${table} where ${nameOf(table)} = $1`, [other[nameOf(table)]]),
  },
  {
    what: 'locks it',
    tables: TABLES,
    send: (client, table, { other }) =>
      client.query(`select from ${table} where ${nameOf(table)} = $1 for update`, [other[nameOf(table)]]),
  },
  {
    what: 'updates it',
    tables: TABLES,
    send: (client, table, { other }) =>
      client.query(`update ${table} set ${keyOf(table)} = ${keyOf(table)} where ${nameOf(table)} = $1`, [
        other[nameOf(table)],
      ]),
  },
  {
    what: 'deletes it',
    tables: OWNED,
    send: (client, table, { other }) =>
      client.query(`delete from ${table} where ${nameOf(table)} = $1`, [other[nameOf(table)]]),
  },
  {
    what: 'inserts one beside it',
    tables: OWNED,
    send: (client, table, { other }) => client.query(INSERT(table), [fresh(other)]),
  },
  {
    what: 'writes it by an upsert',
    tables: OWNED,
    send: (client, table, { other }) =>
      client.query(
        `${INSERT(table)} on conflict (tenant_id, ${keyOf(table)}) do update set tenant_id = excluded.tenant_id`,
        [other],
      ),
  },
  {
    what: 'makes its own row one of the other tenant',
    tables: ['documents'],
    send: (client, table, { own, other }) =>
      client.query(`update ${table} set tenant_id = $1 where id = $2`, [other['tenant_id'], own['id']]),
  },
];

const CASES = PROBES.flatMap((probe) => probe.tables.map((table) => ({ table, what: probe.what, probe })));

const enter = async (client: Client, role: string, tenantId: string): Promise<void> => {
  await client.query(`select set_config('role', $1, true), set_config('colloquy.tenant_id', $2, true)`, [
    role,
    tenantId,
  ]);
};

/** The policies have refused it; and a row was found, but another one refers to it. */
const [REFUSED, REFERRED_TO] = ['42501', '23503'];

/** Whether the statement reached a row. Any other error is the test's. */
async function reaches(send: () => Promise<QueryResult>): Promise<boolean> {
  try {
    return ((await send()).rowCount ?? 0) > 0;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === REFUSED || code === REFERRED_TO) return code === REFERRED_TO;
    throw error;
  }
}

describe.each(POSTGRESQL)('$name: row-level security', ({ freshUrl }) => {
  let world: World;
  let persistence: PersistenceManager;

  beforeAll(async () => {
    const url = await freshUrl();
    persistence = await PersistenceManager.open({ databaseUrl: url });
    for (const slug of ['acme', 'beta']) {
      await persistence.tenants.ensure({ slug, name: slug, quota: { messagesPerMonth: 1_000 } });
    }
    const [acme, beta] = [await furnish(persistence, 'acme'), await furnish(persistence, 'beta')];
    const client = new Client({ connectionString: url });
    await client.connect();
    const rows = new Map<string, Rows>();
    const rowOf = async (table: string, tenantId: string): Promise<JsonRow> => {
      const column = table === 'tenants' ? 'id' : 'tenant_id';
      const result = await client.query<{ row: JsonRow }>(
        `select row_to_json(t) as row from ${table} t where ${column} = $1`,
        [tenantId],
      );
      return result.rows[0]?.row ?? {};
    };
    for (const table of TABLES)
      rows.set(table, { own: await rowOf(table, acme.tenantId), other: await rowOf(table, beta.tenantId) });
    world = { client, acme, beta, rows };
  });

  afterAll(async () => {
    await world.client.end();
    await persistence.close();
  });

  /** Runs work in a transaction that leaves nothing. `before` is what the superuser does in it first. */
  async function undone<T>(before: string, work: (client: Client) => Promise<T>): Promise<T> {
    const { client } = world;
    await client.query('begin');
    try {
      if (before !== '') await client.query(before);
      return await work(client);
    } finally {
      await client.query('rollback');
    }
  }

  const rowsOf = (table: string): Rows => {
    const rows = world.rows.get(table);
    if (!rows) throw new Error(`${table} has no rows here`);
    return rows;
  };

  /** Whether acme reaches beta's row, where only the policies stand between them. */
  async function leaks(probe: Probe, table: string, mutation = ''): Promise<boolean> {
    return undone(mutation, async (client) => {
      await enter(client, 'colloquy_tenant', world.acme.tenantId);
      return reaches(() => probe.send(client, table, rowsOf(table)));
    });
  }

  const countAs = (table: string, role: string, tenantId: string, before = ''): Promise<number> =>
    undone(before, async (client) => {
      await enter(client, role, tenantId);
      return (await client.query(`select from ${table}`)).rowCount ?? 0;
    });

  it.each(CASES)("of $table keeps another tenant's row from who $what", async ({ probe, table }) => {
    expect(await leaks(probe, table)).toBe(false);
  });

  // Each probe is shown to be able to fail: what it guards is taken away, and it finds the row.
  it.each(CASES)('of $table, its policy opened, lets who $what through', async ({ probe, table }) => {
    expect(await leaks(probe, table, `alter policy tenant on ${table} using (true) with check (true)`)).toBe(true);
  });

  it.each(CASES)('of $table, disabled, lets who $what through', async ({ probe, table }) => {
    expect(await leaks(probe, table, `alter table ${table} disable row level security`)).toBe(true);
  });

  it.each(TABLES)("of %s shows a tenant's own row, and without the policy not even that", async (table) => {
    expect(await countAs(table, 'colloquy_tenant', world.acme.tenantId)).toBe(1);
    expect(await countAs(table, 'colloquy_tenant', world.acme.tenantId, `drop policy tenant on ${table}`)).toBe(0);
  });

  it.each(TABLES)('of %s shows nothing to who names no tenant', async (table) => {
    expect(await countAs(table, 'colloquy_tenant', '')).toBe(0);
    const opened = `alter policy tenant on ${table} using (true)`;
    expect(await countAs(table, 'colloquy_tenant', '', opened)).toBe(2);
  });

  it.each([...OWNED, 'document_terms'])(
    'of %s shows nothing to an operator who has not switched it off',
    async (table) => {
      expect(await countAs(table, 'colloquy_operator', '')).toBe(0);
      const off = `select set_config('colloquy.row_level_security', 'off', true)`;
      expect(await countAs(table, 'colloquy_operator', '', off)).toBe(2);
      expect(await countAs(table, 'colloquy_operator', '', `${off}; drop policy operator on ${table}`)).toBe(0);
      expect(await countAs(table, 'colloquy_tenant', '', off)).toBe(0);
      const opened = `alter policy operator on ${table} using (true)`;
      expect(await countAs(table, 'colloquy_operator', '', opened)).toBe(2);
    },
  );

  it('of tenants shows an operator all of them, and lets no tenant make or remove one', async () => {
    expect(await countAs('tenants', 'colloquy_operator', '')).toBe(2);
    expect(await countAs('tenants', 'colloquy_operator', '', 'drop policy operator on tenants')).toBe(0);
    const { own } = rowsOf('tenants');
    const removes = () =>
      undone('', async (client) => {
        await enter(client, 'colloquy_tenant', world.acme.tenantId);
        return reaches(() => client.query('delete from tenants where id = $1', [own['id']]));
      });
    const makes = () =>
      undone('', async (client) => {
        await enter(client, 'colloquy_tenant', NEW_ID);
        return reaches(() => client.query(INSERT('tenants'), [fresh(own)]));
      });
    expect([await removes(), await makes()]).toEqual([false, false]);
  });

  it("takes no reference to another tenant's row", async () => {
    const { own, other } = rowsOf('conversations');
    const refers = undone('', async (client) => {
      await enter(client, 'colloquy_tenant', world.acme.tenantId);
      await client.query(INSERT('conversations'), [{ ...fresh(own), user_id: other['user_id'] }]);
    });
    // The key itself carries the tenant.
    await expect(refers).rejects.toMatchObject({ code: '23503' });
  });

  it.each(TABLES)('of %s is forced upon an owner who is no superuser', async (table) => {
    const give = `
      create role owner_of_rls_test nologin;
      grant usage, create on schema public to owner_of_rls_test;
      alter table ${table} owner to owner_of_rls_test`;
    expect(await countAs(table, 'owner_of_rls_test', '', give)).toBe(0);
    const unforced = `${give}; alter table ${table} no force row level security`;
    expect(await countAs(table, 'owner_of_rls_test', '', unforced)).toBe(2);
  });
});
