import { afterAll, describe, expect, it } from 'vitest';
import { selectEngine } from '../../src/database/select-engine.js';
import { ENGINES } from '../support/engines.js';
import { NATIVE_PROBES } from '../support/isolation/native-probes.js';
import { QUOTA_PROBES } from '../support/isolation/quota-probes.js';
import { SERVICE_PROBES } from '../support/isolation/service-probes.js';
import { type KeyRule, keyRulesOf, migrateMutated } from '../support/mutation/key-rules.js';
import { MutatedCheckout } from '../support/mutation/mutated-checkout.js';
import { SOURCE_MUTANTS } from '../support/mutation/source-mutants.js';
import { openSharedWorld } from '../support/shared-world.js';

/** How many copies of the source tree are at work at once. */
const AT_ONCE = 2;

interface Dropped {
  readonly kind: string;
  readonly guard: string;
  readonly killer: string | undefined;
}

const dropped: Dropped[] = [];

function counts(): string[] {
  return [...Map.groupBy(dropped, ({ kind }) => kind)].map(([kind, all]) => {
    const caught = all.filter(({ killer }) => killer !== undefined).length;
    return `${kind}: ${String(caught)} of ${String(all.length)}`;
  });
}

afterAll(() => {
  const width = Math.max(0, ...dropped.map(({ guard }) => guard.length));
  const lines = dropped.map(({ guard, killer = 'NONE' }) => `${guard.padEnd(width)}  ${killer}`);
  console.log(
    `${String(dropped.length)} guards dropped in turn, and the test that fails without each\n${[...lines, '', ...counts()].join('\n')}`,
  );
});

describe('without a guard in the source some test fails', () => {
  const free = Array.from({ length: AT_ONCE }, () => new MutatedCheckout());
  const all = [...free];
  afterAll(() => all.forEach((checkout) => checkout.remove()));

  // Not by `$guard`, which would be cut.
  it.concurrent.each(SOURCE_MUTANTS.map((mutant) => [mutant.guard, mutant] as const))('%s', async (_guard, mutant) => {
    const checkout = free.pop();
    if (!checkout) throw new Error('every copy of the source tree is at work');
    try {
      const killer = await checkout.killerOf(mutant);
      dropped.push({ kind: mutant.kind, guard: `${mutant.guard} (${mutant.file})`, killer });
      expect(killer).toBeDefined();
    } finally {
      free.push(checkout);
    }
  });
});

/** The ways that end at a key. */
const KEYED = [...SERVICE_PROBES, ...NATIVE_PROBES, ...QUOTA_PROBES].filter(({ name }) => /there|again/.test(name));

/** What a tenant without the rule can do, or that no second one can be made. */
async function killerOf(url: string, mutate: KeyRule['mutate']): Promise<string | undefined> {
  await migrateMutated(url, mutate);
  const { persistence, beta, anotherTenant, close } = await openSharedWorld(url);
  try {
    for (const { name, verdict } of KEYED) {
      const acme = await anotherTenant();
      if ((await verdict({ persistence, acme, beta })) !== undefined) return name;
    }
    return undefined;
  } catch (error) {
    return `a second tenant: ${String(error)}`;
  } finally {
    await close();
  }
}

const engines = await Promise.all(
  ENGINES.map(async (engine) => ({ ...engine, rules: await keyRulesOf(await selectEngine(await engine.freshUrl())) })),
);

describe.each(engines)('$name: without a rule of the keys some way is open', ({ name: engine, freshUrl, rules }) => {
  it.each(rules.map(({ name, mutate }) => [name, mutate] as const))('%s', async (name, mutate) => {
    const killer = await killerOf(await freshUrl(), mutate);
    dropped.push({ kind: `keys of ${engine}`, guard: `${engine}: ${name}`, killer });
    expect(killer).toBeDefined();
  });

  it('with all of them none is', async () => {
    expect(await killerOf(await freshUrl(), (statement) => statement)).toBeUndefined();
    expect(rules.length).toBeGreaterThanOrEqual(30);
    expect(new Set(engines.map((one) => one.rules.length)).size).toBe(1);
  });
});
