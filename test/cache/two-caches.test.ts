import { describe, expect, it, vi } from 'vitest';
import type { CachePolicy } from '../../src/cache/policy.js';
import { Caches, row, settled, Source } from './support/caches.js';
import { BROKEN, counting, fail, HOUR, loadParts, type Row } from './support/rows.js';

/** Two processes over one Redis. */
function twoProcesses(policy: CachePolicy) {
  const caches = new Caches();
  const [one, other] = [caches.open(), caches.open()];
  return {
    caches,
    timing: caches.timing,
    one: { ...one, region: one.cache.region<Row>('rows', policy) },
    other: { ...other, region: other.cache.region<Row>('rows', policy) },
  };
}

describe('Processes over one Redis', () => {
  it('load once what several of them want', async () => {
    const { caches, one, other } = twoProcesses({});
    const source = new Source<Row>();
    const readers = [one, other].flatMap(({ region }) => {
      return Array.from({ length: 100 }, () => region.getOrLoad(row(1), source.load));
    });
    await settled();
    expect(source.loads).toBe(1);
    source.give({ version: 1 });
    expect(await caches.ended(Promise.all(readers))).toEqual(readers.map(() => ({ version: 1 })));
    expect(source.loads).toBe(1);
    expect(one.region.statistics().loads + other.region.statistics().loads).toBe(1);
    expect(other.region.statistics()).toMatchObject({ hits: { shared: 1 }, waits: 100, misses: 0 });
  });

  it.each(['strong', 'eventual'] as const)('hear of what one of them invalidates (%s)', async (consistency) => {
    const { one, other } = twoProcesses({ consistency });
    const load = counting();
    for (const { region } of [one, other]) await region.getOrLoad(row(1), load);
    expect(await other.region.getOrLoad(row(1), load)).toEqual({ version: 1 });
    await one.cache.invalidate({ keys: [row(1).key], tags: [] });
    await settled();
    expect(await other.region.getOrLoad(row(1), load)).toEqual({ version: 2 });
    expect(await one.region.getOrLoad(row(1), load)).toEqual({ version: 2 });
  });

  it('do not keep what one of them has loaded before another invalidated it', async () => {
    const { caches, one, other } = twoProcesses({});
    const source = new Source<Row>();
    const before = one.region.getOrLoad(row(1), source.load);
    await settled();
    await caches.ended(other.cache.invalidate({ keys: [], tags: ['{t}:rows'] }));
    source.give({ version: 1 });
    expect(await before).toEqual({ version: 1 });
    for (const { region } of [one, other]) {
      expect(await caches.ended(region.getOrLoad(row(1), async () => ({ version: 2 })))).toEqual({ version: 2 });
    }
  });

  it('share what is no longer fresh, for when a load fails', async () => {
    const { caches, timing, one, other } = twoProcesses({ timeToLive: 10_000, grace: HOUR });
    await one.region.getOrLoad(row(1), counting());
    timing.advance(10_001);
    // Who has served it has put it back.
    for (let count = 0; count < 2; count += 1) {
      for (const { region } of [other, one]) expect(await region.getOrLoad(row(1), fail)).toEqual({ version: 1 });
    }
    const newcomer = caches.open().cache.region<Row>('rows', { timeToLive: 10_000, grace: HOUR });
    expect(await newcomer.getOrLoad(row(1), fail)).toEqual({ version: 1 });
    await other.cache.invalidate({ keys: [row(1).key], tags: [] });
    await settled();
    for (const region of [one.region, other.region, newcomer]) {
      await expect(region.getOrLoad(row(1), fail)).rejects.toBe(BROKEN);
    }
  });

  it('get frozen values from Redis, too', async () => {
    const { one, other } = twoProcesses({});
    await one.region.getOrLoad(row(1), loadParts);
    const value = await other.region.getOrLoad(row(1), counting());
    expect(value).toEqual({ version: 1, parts: [{ name: 'first' }] });
    expect([value, value?.parts, value?.parts?.[0]].every(Object.isFrozen)).toBe(true);
  });

  it('load for a second name of an address, where what another has loaded since cannot be trusted', async () => {
    const { one } = twoProcesses({ consistency: 'strong', negativeTimeToLive: 0 });
    const loadMany = vi.fn(async (names: readonly string[]) => new Map(names.map((name) => [name, { version: 7 }])));
    const addresses = new Map(['a', 'b'].map((name) => [name, row(1)]));
    expect((await one.region.getManyOrLoad(addresses, loadMany)).size).toBe(2);
    const nothing = vi.fn(async (_names: readonly string[]) => new Map<string, Row>());
    await one.cache.invalidate({ keys: [row(1).key], tags: [] });
    expect((await one.region.getManyOrLoad(addresses, nothing)).size).toBe(0);
    expect(nothing.mock.calls.map(([names]) => names)).toEqual([['a'], ['b']]);
  });

  it('serve nothing stale where they are strong, whatever their grace', async () => {
    const { timing, one } = twoProcesses({ consistency: 'strong', grace: HOUR });
    await one.region.getOrLoad(row(1), counting());
    timing.advance(1_001);
    await expect(one.region.getOrLoad(row(1), fail)).rejects.toBe(BROKEN);
  });

  it('load by themselves when another that loads does not end', async () => {
    const { caches, timing, one, other } = twoProcesses({});
    const source = new Source<Row>();
    void one.region.getOrLoad(row(1), source.load);
    await settled();
    const begun = timing.now();
    expect(await caches.ended(other.region.getOrLoad(row(1), counting()))).toEqual({ version: 1 });
    expect(timing.now() - begun).toBeLessThan(600);
  });

  it('look into Redis for each strong read, and count what it confirms as an answer of their memory', async () => {
    const { one } = twoProcesses({ consistency: 'strong' });
    for (let count = 0; count < 3; count += 1) await one.region.getOrLoad(row(1), counting());
    expect(one.region.statistics()).toMatchObject({ hits: { local: 2, shared: 0 }, misses: 1, loads: 1 });
  });

  it('answer by loads while Redis cannot be reached, and trust what they keep for no longer than the bound', async () => {
    const { caches, timing, one } = twoProcesses({ timeToLive: HOUR });
    const load = counting();
    await one.region.getOrLoad(row(1), load);
    one.link?.cut();
    expect(await caches.ended(one.region.getOrLoad(row(1), load))).toEqual({ version: 2 });
    expect(await caches.ended(one.region.getOrLoad(row(1), load))).toEqual({ version: 3 });
    one.link?.heal();
    timing.advance(100);
    await settled();
    // What Redis kept meanwhile is as true as before: nobody has said otherwise.
    expect(await caches.ended(one.region.getOrLoad(row(1), load))).toEqual({ version: 1 });
  });

  it('read as a miss what Redis has not confirmed to be gone, until it has', async () => {
    const { caches, timing, one, other } = twoProcesses({ timeToLive: HOUR });
    const load = counting();
    await one.region.getOrLoad(row(1), load);
    caches.fate = 'never sent';
    const confirmed = one.cache.invalidate({ keys: [row(1).key], tags: [] });
    await settled();
    expect(one.cache.statistics().unconfirmed).toBe(1);
    caches.fate = 'answered';
    expect(await one.region.getOrLoad(row(1), load)).toEqual({ version: 2 });
    expect(await other.region.getOrLoad(row(1), load)).toEqual({ version: 1 });
    await caches.ended(confirmed);
    timing.advance(1);
    await settled();
    expect(one.cache.statistics().unconfirmed).toBe(0);
    expect(await other.region.getOrLoad(row(1), load)).toEqual({ version: 3 });
  });

  it('wait under strong for no longer than what is in Redis may be older', async () => {
    const { caches, timing, one } = twoProcesses({ consistency: 'strong' });
    caches.fate = 'never sent';
    const begun = timing.now();
    await caches.ended(one.cache.invalidateStrong({ keys: [row(1).key], tags: [] }));
    expect(timing.now() - begun).toBe(1_100);
    expect(one.cache.statistics().unconfirmed).toBe(1);
  });

  it('mean everything when there is too much to be named, and when they are told to forget', async () => {
    const { caches, one, other } = twoProcesses({});
    const load = counting();
    await one.region.getOrLoad(row(1), load);
    caches.fate = 'never sent';
    const names = Array.from({ length: 10_001 }, (_, index) => `{t}:other:${String(index)}`);
    const confirmed = one.cache.invalidate({ keys: names, tags: [] });
    expect(one.cache.statistics().unconfirmed).toBe(Infinity);
    caches.fate = 'answered';
    await caches.ended(confirmed);
    expect(await other.region.getOrLoad(row(1), load)).toEqual({ version: 2 });
    await caches.ended(other.cache.clear());
    await settled();
    expect(await one.region.getOrLoad(row(1), load)).toEqual({ version: 3 });
  });

  it('give the lease of a value back that cannot be stored, so that nobody waits for it', async () => {
    const { timing, one, other } = twoProcesses({});
    const version = (() => 1) as never;
    const begun = timing.now();
    expect(await one.region.getOrLoad(row(1), async () => ({ version }))).toEqual({ version });
    expect(one.region.statistics().errors).toBe(1);
    const reading = other.region.getOrLoad(row(1), async () => ({ version: 2 }));
    await settled();
    await settled();
    expect(other.region.statistics().loads).toBe(1);
    expect(await reading).toEqual({ version: 2 });
    expect(timing.now()).toBe(begun);
  });
});
