import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { importArchives } from '../../src/index.js';
import { SERVERS } from '../support/engines.js';
import { talk, turns } from '../support/invented-archive.js';
import { openAcme, openManager } from '../support/open-manager.js';
import { connectRaw } from '../support/raw-rows.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const POSTGRESQL = SERVERS.filter(({ name }) => name === 'postgresql');
// A file without tests is an error.
if (POSTGRESQL.length === 0) it.skip('growing tables of PostgreSQL', () => undefined);

/** Rows of 1,000 tenants, each with an id that is its tenant's. */
const ONE_ROW_EACH = [
  `insert into tenants (id, created_at, updated_at, slug, name, config, quota)
   select ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, now(), now(), 'tenant-' || n, 'x', '{}', '{}'
     from generate_series(1, 1000) as n`,
  `insert into users (tenant_id, id, created_at, updated_at, external_id, username, metadata)
   select id, id, now(), now(), slug, 'x', '{}' from tenants`,
  `insert into conversations (tenant_id, id, created_at, updated_at, user_id, external_id, metadata)
   select id, id, now(), now(), id, slug, '{}' from tenants`,
  `insert into messages (tenant_id, id, created_at, updated_at, conversation_id, seq, role, content)
   select id, id, now(), now(), id, 1, 'user', 'x' from tenants`,
  `insert into voice_sessions (tenant_id, id, created_at, updated_at, user_id, conversation_id, external_id, config, metadata, start_time, status)
   select id, id, now(), now(), id, id, slug, '{}', '{}', now(), 'active' from tenants`,
  `insert into tasks (tenant_id, id, created_at, updated_at, user_id, workflow_id, query, metadata)
   select id, id, now(), now(), id, slug, 'x', '{}' from tenants`,
  'analyze',
];

/** How one row of a tenant is found, by the library and by the checks of foreign keys. */
const LOOKUPS = {
  'a user by the id': 'users where tenant_id = $1 and id = $2',
  'a user by the external id': 'users where tenant_id = $1 and external_id = $2',
  'a conversation by its id': 'conversations where tenant_id = $1 and id = $2',
  'a conversation by its external id': 'conversations where tenant_id = $1 and external_id = $2',
  'a message by its id': 'messages where tenant_id = $1 and id = $2',
  'a voice session by its id': 'voice_sessions where tenant_id = $1 and id = $2',
  'a task by its id': 'tasks where tenant_id = $1 and id = $2',
};

describe.each(POSTGRESQL)('$name: where each tenant had one row, and one comes to have many', ({ freshUrl }) => {
  it('a row is found by all that is known of it', async () => {
    const url = await freshUrl();
    await openManager({ url });
    const connection = await connectRaw(url);
    try {
      for (const sql of ONE_ROW_EACH) await connection.rows(sql);
      await connection.rows('set plan_cache_mode = force_generic_plan');
      await connection.rows('set enable_seqscan = off');
      for (const [index, [name, lookup]] of Object.entries(LOOKUPS).entries()) {
        await connection.rows(`prepare lookup_${String(index)} as select 1 from ${lookup}`);
        const lines = await connection.rows(`explain (costs off) execute lookup_${String(index)}(null, null)`);
        const plan = lines.flatMap((line) => Object.values(line)).join('\n');
        expect([name, plan]).toEqual([name, expect.stringMatching(/using \w+(?:_pkey|_external_id_unique) on/)]);
        expect([name, plan]).toEqual([name, expect.stringMatching(/Index Cond: \(\(tenant_id = .* AND /)]);
      }
    } finally {
      await connection.close();
    }
  });
});

describe.each(POSTGRESQL)('$name: an import into an empty database', ({ freshUrl }) => {
  it('finds what its rows refer to, later on, by another index than was good enough for the first ones', async () => {
    const url = await freshUrl();
    const { persistence, tenant } = await openAcme({ url });
    const conversations = Array.from({ length: 6_000 }, (_unused, index) =>
      JSON.stringify(talk(`talk-${String(index)}`, { messages: turns(5) })),
    );
    const file = join(temporaryFolder(), 'archive.jsonl');
    writeFileSync(file, conversations.join('\n'));
    const connection = await connectRaw(url);
    try {
      // Otherwise the server counts the rows by itself, sooner or later.
      await connection.rows('alter table conversations set (autovacuum_enabled = false)');
      const { total } = await importArchives(tenant, [file]);
      expect(total.messages).toBe(30_000);
      await persistence.close();
      // A session tells what it has used when it has ended, of which nobody else is told.
      const scans = await vi.waitFor(async () => {
        const used = await connection.rows<{ name: string; scans: string }>(
          `select indexrelname as name, idx_scan as scans from pg_stat_user_indexes where relname = 'conversations'`,
        );
        const found = new Map(used.map((index) => [index.name, Number(index.scans)]));
        const all = [...found.values()].reduce((sum, count) => sum + count, 0);
        expect(all).toBeGreaterThanOrEqual(30_000);
        return found;
      }, 10_000);
      expect(scans.get('conversations_pkey')).toBeGreaterThan(25_000);
    } finally {
      await connection.close();
    }
  });
});
