import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { compiledTableOf, type Row } from '../../../src/repositories/compiled-table.js';
import { runStatement } from '../../../src/repositories/statement.js';
import { Tenant } from '../../../src/entities/index.js';
import type { SharedWorld } from '../shared-world.js';
import type { AnyEntity } from './rules-of.js';
import { asRow, expected, type ValidPath, type Values, withRows } from './valid-paths.js';
import { validValues } from './valid-values.js';
import { SEED } from './refuse-faults.js';

/** Rows that are written, and read again, at once. */
const TOGETHER = 50;

/** Writes at least `runs` rows by one path; each comes back equal, read as an entity and by a compiled statement. */
export async function expectRoundTrip(world: SharedWorld, path: ValidPath, runs: number): Promise<void> {
  const { persistence } = world;
  const acme = await world.anotherTenant();
  const { entity } = path;
  const batches = fc.array(validValues(entity), { minLength: TOGETHER, maxLength: TOGETHER });
  const kept = fc.asyncProperty(batches, async (batch) => {
    const rows = batch.map((values) => asRow(entity, values, acme));
    const ids = await path.write({ persistence, acme }, entity, rows);
    expect(new Set(ids).size).toBe(rows.length);
    const [managed, plain] = await withRows({ persistence, acme }, entity, async (em) => {
      const found = await em.find(entity as never, { id: { $in: ids } });
      const table = compiledTableOf(em, entity as never);
      const owner = entity === Tenant ? '' : `${table.column('tenantId')} = ? and `;
      const sql = `select ${table.columns} from ${table.name} where ${owner}${table.column('id')} in (${ids.map(() => '?').join(', ')})`;
      const raw = await runStatement<Record<string, unknown>>(em, sql, [...(owner ? [acme.tenantId] : []), ...ids]);
      return [byId(found), byId(raw.map((row) => table.toRow(row) as Row<never>))];
    });
    for (const [index, row] of rows.entries()) {
      const due = expected(entity, row, path);
      assertSame(entity, due, managed.get(ids[index] ?? ''), 'an entity');
      assertSame(entity, due, plain.get(ids[index] ?? ''), 'a row');
    }
  });
  await fc.assert(kept, { numRuns: Math.ceil(runs / TOGETHER), seed: SEED, endOnFailure: true });
}

function byId(rows: readonly object[]): Map<string, Values> {
  return new Map(rows.map((row) => [(row as { id: string }).id, row as Values]));
}

/** Engines write the same amount of money with more or fewer zeros at its end. */
function normal(name: string, value: unknown): unknown {
  if (name !== 'costUsd' || typeof value !== 'string') return value;
  return value.includes('.') ? value.replace(/\.?0+$/, '') : value;
}

function assertSame(entity: AnyEntity, due: Values, got: Values | undefined, as: string): void {
  for (const [name, value] of Object.entries(due)) {
    // A reference is an array of keys here, and known by another name there.
    if (name === 'user' || name === 'conversation') continue;
    if (isDeepStrictEqual(normal(name, got?.[name]), normal(name, value))) continue;
    const what = `${entity.name}.${name}, read as ${as}`;
    throw new Error(`${what}: ${JSON.stringify(got?.[name])} for ${JSON.stringify(value)}`);
  }
}
