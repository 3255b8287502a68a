import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { SchemaManager } from '../../src/services/schema-manager.js';
import { installCitusStandIn } from '../support/citus-stand-in.js';
import { colloquy } from '../support/command-line.js';
import { codeOf, open } from '../support/conformance.js';
import { ENGINES, query, withParameter } from '../support/engines.js';
import { makeEveryEntity } from '../support/every-entity.js';
import { NO_OWN_SERVER, type OwnServer, startOwnServer } from '../support/own-server.js';
import { rejectionOf } from '../support/rejection.js';
import { sentStatements } from '../support/sent-statements.js';
import { TENANT_TABLES } from '../support/two-tenants.js';

const OWNED = [...TENANT_TABLES, 'document_terms', 'quota_months'].toSorted();
const WITHOUT_RLS = ['rowLevelSecurity', 'false'] as const;

async function openSchema(databaseUrl: string): Promise<SchemaManager> {
  const schema = await SchemaManager.open({ databaseUrl });
  onTestFinished(() => schema.close());
  return schema;
}

/** Every key that a table has to others, and its actions. */
const FOREIGN_KEYS = `select conrelid::regclass::text as table, conname, pg_get_constraintdef(oid) as definition
                        from pg_constraint where contype = 'f' order by 1, 2`;

const postgresql = ENGINES.filter(({ name }) => name === 'postgresql');

const distributed = async (url: string) =>
  query(
    url,
    `select logicalrelid::text as table, partmethod::text, colocatedwith, shards from pg_dist_partition order by 1`,
  );

// A suite without tests is an error.
describe.skipIf(postgresql.length === 0).each(postgresql)(
  '$name: every table that carries a tenant',
  ({ freshUrl }) => {
    it('has keys that begin with it, references that carry it, no trigger, and nothing that changes a key by itself', async () => {
      const url = await freshUrl();
      await open(url);
      const owned = await query<{ name: string }>(
        url,
        `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attname = 'tenant_id' order by 1`,
      );
      expect(owned.map(({ name }) => name)).toEqual(OWNED);
      const keys = await query<{ name: string; begins_with: string }>(
        url,
        `select x.indexrelid::regclass::text as name, a.attname as begins_with
         from pg_index x join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
        where x.indisunique and x.indrelid = any ($1::regclass[])`,
        [OWNED],
      );
      expect(keys.length).toBeGreaterThanOrEqual(OWNED.length);
      expect(keys.filter(({ begins_with }) => begins_with !== 'tenant_id')).toEqual([]);
      const references = await query<{ definition: string }>(url, FOREIGN_KEYS);
      const own = references.filter(
        ({ definition }) =>
          !/^FOREIGN KEY \(tenant_id(?:, \w+)?\) REFERENCES \w+\((?:tenant_id, )?id\)(?: ON DELETE CASCADE)?$/.test(
            definition,
          ),
      );
      expect(own).toEqual([]);
      expect(await query(url, 'select tgname from pg_trigger where not tgisinternal')).toEqual([]);
    });
  },
);

describe.each(ENGINES)('$name: a database without the extension Citus', ({ name, freshUrl }) => {
  it('is not distributed, and the error says what is missing', async () => {
    const url = await freshUrl();
    await open(url);
    const schema = await openSchema(url);
    const error = await rejectionOf(schema.distribute(), ConfigurationError);
    expect(error.message).toMatch(
      ['postgresql', 'pgbouncer'].includes(name)
        ? /create extension citus/
        : /only PostgreSQL with the extension Citus/,
    );
  });
});

const title = `what stands for a Citus cluster${NO_OWN_SERVER === undefined ? '' : ` (skipped: ${NO_OWN_SERVER})`}`;

describe.skipIf(NO_OWN_SERVER)(title, () => {
  let server: OwnServer;
  let databases = 0;
  beforeAll(async () => {
    server = await startOwnServer({ allow_system_table_mods: 'on' });
  });
  afterAll(async () => server.close());

  /** A database with a tenant, and the extension. */
  async function fill() {
    const name = `distributed_${String(++databases)}`;
    await query(server.url(), `create database ${name}`);
    const url = withParameter(server.url(name), ...WITHOUT_RLS);
    const persistence = await open(url);
    const acme = await makeEveryEntity(persistence, 'acme');
    const digest = await acme.digest();
    await installCitusStandIn(url);
    return { url, acme, digest, keys: await query(url, FOREIGN_KEYS) };
  }

  it('takes a filled database in place, with every table on its place and every key back', async () => {
    const { url, acme, digest, keys } = await fill();
    const schema = await openSchema(url);
    const done: string[] = [];
    await schema.distribute({
      shards: 8,
      onStep: ({ what }, step, total) => done.push(`${String(step)}/${String(total)} ${what}`),
    });
    const first = OWNED[0] ?? '';
    expect(await distributed(url)).toEqual(
      [
        ...OWNED.map((table) => ({
          table,
          partmethod: 'h',
          colocatedwith: table === first ? 'none' : first,
          shards: table === first ? 8 : null,
        })),
        { table: 'tenants', partmethod: 'n', colocatedwith: null, shards: null },
      ].toSorted((a, b) => (a.table < b.table ? -1 : 1)),
    );
    expect(done).toHaveLength(2 + OWNED.length + keys.length);
    expect(done[0]).toBe(`1/${String(done.length)} set foreign keys aside`);
    expect(done.at(-1)).toBe(`${String(done.length)}/${String(done.length)} add foreign key`);
    expect(await query(url, FOREIGN_KEYS)).toEqual(keys);
    expect(await schema.differences()).toEqual([]);
    expect(await acme.digest()).toBe(digest);
    expect(await schema.distribute()).toEqual([]);
  });

  it('keeps the options of its columns afterwards, which Citus changes of no distributed table', async () => {
    const { url } = await fill();
    const schema = await openSchema(url);
    const options = `select attrelid::regclass::text as table, attoptions::text as options from pg_attribute
                      where attname = 'tenant_id' and attoptions is not null and attrelid::regclass::text = any ($1) order by 1`;
    const withOptions = async () => query<{ table: string }>(url, options, [OWNED]);
    const before = await withOptions();
    expect(before.length).toBeGreaterThan(0);
    await schema.distribute();
    expect(await schema.down('015-more-row-level-security')).toEqual(['016-tenant-statistics']);
    expect(await withOptions()).toEqual(before);
    expect(await schema.up()).toEqual(['016-tenant-statistics']);
    expect(await withOptions()).toEqual(before);
  });

  it('can be left after any step, and is gone on with', async () => {
    const { url, keys } = await fill();
    const schema = await openSchema(url);
    const { length: total } = await schema.distributionPlan();
    for (let runs = 0; ; runs++) {
      const stop = new AbortController();
      const run = schema.distribute({ signal: stop.signal, onStep: () => stop.abort() });
      const isDone = await run.then(
        () => true,
        () => false,
      );
      if (isDone) {
        expect(runs).toBe(total);
        break;
      }
      expect(await schema.distributionPlan()).toHaveLength(total - runs - 1);
    }
    expect(await query(url, FOREIGN_KEYS)).toEqual(keys);
    expect(await schema.differences()).toEqual([]);
  });

  it('is distributed once by two that begin together', async () => {
    const { url, keys } = await fill();
    const schemas = [await openSchema(url), await openSchema(url)];
    const steps = await Promise.all(schemas.map(async (schema) => schema.distribute()));
    expect(steps.flat()).toHaveLength(2 + OWNED.length + keys.length);
    expect(await query(url, FOREIGN_KEYS)).toEqual(keys);
  });

  it('keeps the keys that are set aside when one of them cannot be made again', async () => {
    const { url, keys } = await fill();
    const schema = await openSchema(url);
    const orphan = `insert into documents select tenant_id, '01890000-0000-7000-8000-000000000001', created_at, updated_at, 'orphan',
      title, content, content_type, source, checksum, metadata, status, version from documents`;
    const spoil = schema.distribute({
      onStep: ({ what }, step) => {
        if (what === 'set foreign keys aside' && step === 1) throw new Error('stop here');
      },
    });
    await expect(spoil).rejects.toThrow('stop here');
    await query(url, orphan);
    await query(
      url,
      `update documents set tenant_id = '01890000-0000-7000-8000-000000000002' where external_id = 'orphan'`,
    );
    expect(await codeOf(schema.distribute())).toBe('REFERENCE_NOT_FOUND');
    await query(url, `delete from documents where external_id = 'orphan'`);
    await schema.distribute();
    expect(await query(url, FOREIGN_KEYS)).toEqual(keys);
    expect(await schema.differences()).toEqual([]);
  });

  it('refuses what Citus would, all at once and before anything is done', async () => {
    const { url, keys } = await fill();
    await query(url, 'create unique index by_title on documents (title)');
    await query(url, `create function nothing() returns trigger language plpgsql as 'begin return new; end'`);
    await query(url, 'create trigger watcher before update on users for each row execute function nothing()');
    await query(
      url,
      'alter table voice_sessions add constraint loose foreign key (tenant_id, user_id) references users (tenant_id, id) on update cascade',
    );
    const schema = await openSchema(withParameter(url, 'rowLevelSecurity', 'true'));
    const { problems } = await rejectionOf(schema.distribute(), ConfigurationError);
    expect(problems).toEqual([
      'the foreign key loose of voice_sessions changes keys by itself (set null, set default or on update)',
      'the unique key by_title of documents does not contain tenant_id',
      'users has the trigger watcher',
      expect.stringMatching(/rowLevelSecurity=false/),
    ]);
    expect(await distributed(url)).toEqual([]);
    expect(await query(url, FOREIGN_KEYS)).toHaveLength(keys.length + 1);
  });

  it('is not opened with row-level security once it is distributed, for that would show no rows', async () => {
    const { url } = await fill();
    await (await openSchema(url)).distribute();
    const secured = open(withParameter(url, 'rowLevelSecurity', 'true'));
    expect((await rejectionOf(secured, ConfigurationError)).message).toContain('rowLevelSecurity=false');
    await open(url);
  });

  it('takes appends by statements of one table each once it is distributed, and keeps what is said of them', async () => {
    const { url } = await fill();
    await (await openSchema(url)).distribute({ shards: 4 });
    const persistence = await open(url);
    const { messages, conversations, users } = persistence.tenant('acme');
    const [user] = (await users.list()).items;
    const { id } = await conversations.start({ userId: user?.id ?? '' });
    const sent = await sentStatements(persistence, 'postgresql');
    const append = (n: number) =>
      messages.append(id, { role: 'user', content: String(n) }, { idempotencyKey: `key ${String(n)}` });
    const appended = await Promise.all([1, 2, 3, 4, 1, 2].map(append));
    expect(sent.filter((statement) => statement.startsWith('with '))).toEqual([]);
    expect(await messages.history(id)).toEqual(appended.slice(0, 4));
    expect(appended.slice(4)).toEqual(appended.slice(0, 2));
  });

  it('is told what would be done by --dry-run, and what was done, by the command line', async () => {
    const { url, keys } = await fill();
    const plan = await colloquy(['distribute', '--dry-run', '--shards', '4'], { url });
    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect(plan.stdout).toMatch(
      /select create_distributed_table\('api_keys', 'tenant_id', colocate_with => 'none', shard_count => 4\);/,
    );
    expect(plan.stdout).toMatch(/alter table messages add constraint "?\w+"? FOREIGN KEY/);
    expect(await distributed(url)).toEqual([]);
    const dry = await colloquy(['distribute', '--dry-run', '--json'], { url });
    const { steps } = JSON.parse(dry.stdout) as { steps: object[] };
    const run = await colloquy(['distribute', '--json'], { url });
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ dryRun: false, steps });
    expect(await query(url, FOREIGN_KEYS)).toEqual(keys);
    const again = await colloquy(['distribute'], { url });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('Everything is distributed.') as string });
  });
});

const CITUS = process.env['CITUS_URL'];
const citusTitle = `a Citus cluster${CITUS === undefined ? ' (skipped: CITUS_URL is not set)' : ''}`;

describe.skipIf(CITUS === undefined)(citusTitle, () => {
  it('takes a filled database in place; no call of a tenant then asks more than one shard', async () => {
    const server = CITUS ?? '';
    const name = `colloquy_test_citus_${String(process.pid)}`;
    await query(server, `create database ${name}`);
    onTestFinished(async () => void (await query(server, `drop database ${name} with (force)`)));
    const bare = new URL(server);
    bare.pathname = `/${name}`;
    const url = withParameter(bare.href, ...WITHOUT_RLS);
    await query(url, 'create extension citus');
    const before = await open(url);
    const digest = await (await makeEveryEntity(before, 'acme')).digest();
    const rows = (await before.stats()).rows;
    await before.close();
    const schema = await openSchema(url);
    await schema.distribute({ shards: 4 });
    expect(await schema.distribute()).toEqual([]);
    await query(url, `alter database ${name} set citus.multi_task_query_log_level = 'error'`);
    const after = await open(url);
    expect(await after.tenant('acme').digest()).toBe(digest);
    expect((await after.tenant('acme').stats()).rows).toMatchObject({ messages: rows['messages'] });
    const beta = await makeEveryEntity(after, 'beta');
    expect(await beta.digest()).toBe(digest);
  });
});
