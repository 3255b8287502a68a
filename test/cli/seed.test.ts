import { describe, expect, it } from 'vitest';
import { freshUrl } from '../support/engine-under-test.js';
import { colloquy, colloquyInTurn } from '../support/command-line.js';
import { dumpTables, storedConversations } from '../support/table-dump.js';

/** Says when the migrations were applied, which is no business of the seed. */
const RECORD = ['schema_migrations'];

const SMALL = ['seed', '--tenants', '2', '--users', '3', '--conversations', '2'];

describe('colloquy seed', () => {
  it('gives the same rows for the same seed, down to ids and times, and others for another', async () => {
    const [one, two, other] = [await freshUrl(), await freshUrl(), await freshUrl()];
    const results = await Promise.all([
      colloquy([...SMALL, '--seed', '7'], { url: one }),
      colloquy([...SMALL, '--seed', '7'], { url: two }),
      colloquy([...SMALL, '--seed', '8'], { url: other }),
    ]);
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(results.map(() => [0, '']));
    const rows = await dumpTables(one, RECORD);
    expect(await dumpTables(two, RECORD)).toEqual(rows);
    expect(rows).toMatchObject({ tenants: { length: 2 }, users: { length: 6 }, conversations: { length: 12 } });
    const ids = new Set(Object.values(rows).flatMap((table) => table.map(({ id }) => id)));
    const others = Object.values(await dumpTables(other, RECORD)).flat();
    expect(others.filter(({ id }) => ids.has(id))).toEqual([]);
    expect(others.length).toBeGreaterThan(20);
  });

  it('adds nothing the second time, and asking for more tenants leaves the first ones as they are', async () => {
    const url = await freshUrl();
    const [first, second] = await colloquyInTurn([SMALL, SMALL], { url });
    const before = await dumpTables(url, RECORD);
    const [again, more] = await colloquyInTurn(
      [
        [...SMALL, '--json'],
        [...SMALL, '--tenants', '3'],
      ],
      { url },
    );
    expect(first?.stdout).toContain('Tenant seed-1-1 added.\nTenant seed-1-2 added.\n');
    expect(second?.stdout).toContain('Tenant seed-1-1 is there already and was left as it is.');
    expect(JSON.parse(again?.stdout ?? '')).toMatchObject({
      tenants: [
        { slug: 'seed-1-1', added: false },
        { slug: 'seed-1-2', added: false },
      ],
      rows: { tenants: 2, users: 6, conversations: 12 },
    });
    expect([first, second, again, more].map((printed) => printed?.code)).toEqual([0, 0, 0, 0]);
    const after = await dumpTables(url, RECORD);
    for (const [table, rows] of Object.entries(before)) expect(after[table]).toEqual(expect.arrayContaining(rows));
    expect(after).toMatchObject({ tenants: { length: 3 }, users: { length: 9 } });
  });

  it('makes conversations whose counters agree with their messages', async () => {
    const url = await freshUrl();
    await colloquy(SMALL, { url });
    const stored = await storedConversations(url);
    expect(stored).toHaveLength(12);
    for (const row of stored) {
      expect(row).toMatchObject({ stored: row.counted, lastSeq: row.counted, firstSeq: 1, storedTokens: row.tokens });
      expect(row.storedLastAt).toEqual(row.lastMessageAt);
    }
  });
});
