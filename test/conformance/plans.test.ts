import type { SqlEntityManager } from '@mikro-orm/sql';
import { describe, expect, it } from 'vitest';
import { FixedStatement, type Plan, type PlanRunner } from '../../src/database/plan.js';
import { connectionOf } from '../../src/repositories/statement.js';
import { open, openChat } from '../support/conformance.js';
import { ENGINES } from '../support/engines.js';

const INSERT = new FixedStatement('insert into quota_months (tenant_id, month, messages, tokens) values (?, ?, ?, ?)');
const MONTHS = new FixedStatement('select month, messages from quota_months where tenant_id = ? order by month');

interface World {
  readonly plans: PlanRunner;
  readonly tenantId: string;
  readonly months: () => Promise<string[]>;
}

/** Inserts months one after the other, and then fails if it is to. */
const inserting = ({ tenantId }: World, months: readonly string[], failure?: Error) =>
  function* insert(): Plan<number> {
    for (const month of months) yield { statement: INSERT, values: [tenantId, month, 1, 1] };
    if (failure) throw failure;
    return months.length;
  };

// oxlint-disable-next-line require-yield -- that is the point
function* nothing(): Plan<string> {
  return 'nothing';
}

describe.each(ENGINES)('$name: a plan', ({ freshUrl }) => {
  async function openWorld(): Promise<World> {
    const url = await freshUrl();
    const { acme } = await openChat(url);
    const persistence = await open(url);
    const { id: tenantId } = await persistence.tenants.get(acme.slug);
    const { plans } = connectionOf(persistence.orm.em as unknown as SqlEntityManager);
    function* read(): Plan<string[]> {
      return (yield { statement: MONTHS, values: [tenantId] }).map(({ month }) => String(month));
    }
    return { plans, tenantId, months: async () => plans.read(read, tenantId) };
  }

  it('that writes is committed whole, and its result is what it returns', async () => {
    const world = await openWorld();
    const { plans, tenantId, months } = world;
    expect(await plans.write(inserting(world, ['2026-01', '2026-02']), tenantId)).toBe(2);
    expect(await months()).toEqual(['2026-01', '2026-02']);
  });

  it('that fails leaves nothing: by an error of its own, or of a statement', async () => {
    const world = await openWorld();
    const { plans, tenantId, months } = world;
    const own = new Error('of its own');
    await expect(plans.write(inserting(world, ['2026-01'], own), tenantId)).rejects.toBe(own);
    await expect(plans.write(inserting(world, ['2026-01', '2026-02', '2026-01']), tenantId)).rejects.toThrow();
    expect(await months()).toEqual([]);
  });

  it('takes no other one with it when it fails, nor gives it anything, when many are sent at once', async () => {
    const world = await openWorld();
    const { plans, tenantId, months } = world;
    const names = Array.from({ length: 24 }, (_unused, n) => `20${String(10 + n)}-01`);
    const outcomes = await Promise.allSettled(
      names.map((name, n) =>
        plans.write(inserting(world, [name], n % 3 === 1 ? new Error(name) : undefined), tenantId),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(
      names.map((_name, n) => (n % 3 === 1 ? 'rejected' : 'fulfilled')),
    );
    expect(await months()).toEqual(names.filter((_name, n) => n % 3 !== 1));
  });

  it('that asks for nothing needs no database', async () => {
    const { plans, tenantId } = await openWorld();
    expect(await plans.read(nothing, tenantId)).toBe('nothing');
    expect(await plans.write(nothing, tenantId)).toBe('nothing');
  });
});
