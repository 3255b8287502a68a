import { describe, expect, it, vi } from 'vitest';
import { LoadTimeoutError } from '../../src/cache/load-timeout-error.js';
import type { CachePolicy } from '../../src/cache/policy.js';
import { Caches, type OpenedCache, row, settled, Source } from './support/caches.js';
import { BROKEN, counting, fail, HOUR, loadParts, type Row } from './support/rows.js';

function opened(policy: CachePolicy, open: (caches: Caches) => OpenedCache) {
  const caches = new Caches();
  const { cache, errors } = open(caches);
  return { caches, timing: caches.timing, cache, errors, region: cache.region<Row>('rows', policy) };
}

function addressesOf(names: readonly number[]) {
  return new Map(names.map((name) => [name, row(name)]));
}

describe.each([
  ['without a tier two', (caches: Caches) => caches.openAlone()],
  ['over Redis', (caches: Caches) => caches.open()],
] as const)('A kind of values that is cached %s', (_name, open) => {
  const start = (policy: CachePolicy = {}) => opened(policy, open);

  it.each([
    [0, 0.9],
    [0.5, 1],
    [0.999_999, 1.1],
  ])('is fresh for its time to live, give or take a tenth by chance (%d)', async (chance, share) => {
    const { timing, region } = start({ timeToLive: HOUR });
    timing.chance = chance;
    const load = counting();
    await region.getOrLoad(row(1), load);
    timing.advance(HOUR * share - 10);
    expect(await region.getOrLoad(row(1), load)).toEqual({ version: 1 });
    timing.advance(20);
    expect(await region.getOrLoad(row(1), load)).toEqual({ version: 2 });
  });

  it('remembers for a time of its own that there is nothing', async () => {
    const { timing, region } = start({ timeToLive: HOUR, negativeTimeToLive: 1_000 });
    const load = vi.fn(async () => undefined);
    expect(await region.getOrLoad(row(1), load)).toBeUndefined();
    timing.advance(990);
    expect(await region.getOrLoad(row(1), load)).toBeUndefined();
    expect(load).toHaveBeenCalledTimes(1);
    timing.advance(20);
    await region.getOrLoad(row(1), load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('does not remember that there is nothing where that time is 0', async () => {
    const { region } = start({ negativeTimeToLive: 0, grace: HOUR });
    expect(await region.getOrLoad(row(1), async () => undefined)).toBeUndefined();
    expect(await region.getOrLoad(row(1), async () => ({ version: 1 }))).toEqual({ version: 1 });
  });

  it('serves what is no longer fresh where a load fails, within its grace and no longer', async () => {
    const { timing, region } = start({ timeToLive: 10_000, grace: 5_000 });
    await region.getOrLoad(row(1), counting());
    timing.advance(10_001);
    const failing = vi.fn(fail);
    expect(await region.getOrLoad(row(1), failing)).toEqual({ version: 1 });
    timing.advance(4_900);
    expect(await region.getOrLoad(row(1), failing)).toEqual({ version: 1 });
    // Each time the load is tried again.
    expect(failing).toHaveBeenCalledTimes(2);
    timing.advance(100);
    await expect(region.getOrLoad(row(1), failing)).rejects.toBe(BROKEN);
    expect(region.statistics()).toMatchObject({ failedLoads: 3, staleServes: 2 });
  });

  it('serves nothing whose grace has ended while a load was failing', async () => {
    const { timing, region } = start({ timeToLive: 10_000, grace: 5_000 });
    await region.getOrLoad(row(1), counting());
    timing.advance(14_000);
    const source = new Source<Row>();
    const reading = region.getOrLoad(row(1), source.load).catch((error: unknown) => error);
    await settled();
    timing.advance(1_001);
    source.fail(BROKEN);
    expect(await reading).toBe(BROKEN);
  });

  it('serves nothing that was invalidated, whatever its grace', async () => {
    const { timing, cache, region } = start({ timeToLive: 10_000, grace: HOUR, staleWhileLoading: true });
    for (const name of [1, 2]) await region.getOrLoad(row(name), counting());
    timing.advance(10_001);
    await cache.invalidate({ keys: [row(1).key], tags: [] });
    await expect(region.getOrLoad(row(1), fail)).rejects.toBe(BROKEN);
    await cache.invalidate({ keys: [], tags: ['{t}:rows'] });
    await expect(region.getOrLoad(row(2), fail)).rejects.toBe(BROKEN);
  });

  it('serves what is within its grace when a load takes longer than the soft timeout, and keeps what that loads', async () => {
    const { timing, region } = start({ timeToLive: 10_000, grace: HOUR, softTimeout: 200 });
    await region.getOrLoad(row(1), counting());
    timing.advance(10_001);
    const source = new Source<Row>();
    const reading = region.getOrLoad(row(1), source.load);
    const answered = vi.fn();
    void reading.then(answered);
    await settled();
    timing.advance(199);
    await settled();
    expect(answered).not.toHaveBeenCalled();
    timing.advance(1);
    expect(await reading).toEqual({ version: 1 });
    source.give({ version: 2 });
    await settled();
    expect(await region.getOrLoad(row(1), source.load)).toEqual({ version: 2 });
    expect(source.loads).toBe(1);
    expect(region.statistics().staleServes).toBe(1);
  });

  it('waits for a load beyond the soft timeout where there is nothing else', async () => {
    const { timing, region } = start({ grace: HOUR, softTimeout: 200 });
    const source = new Source<Row>();
    const reading = region.getOrLoad(row(1), source.load);
    await settled();
    timing.advance(10_000);
    source.give({ version: 1 });
    expect(await reading).toEqual({ version: 1 });
  });

  it('gives a load up after the hard timeout and tells it so, and the next reader loads again', async () => {
    const { timing, region } = start({ hardTimeout: 300 });
    const source = new Source<Row>();
    const reading = region.getOrLoad(row(1), source.load).catch((error: unknown) => error);
    await settled();
    timing.advance(299);
    await settled();
    expect(source.signals[0]?.aborted).toBe(false);
    timing.advance(1);
    const error = await reading;
    expect(error).toBeInstanceOf(LoadTimeoutError);
    expect(source.signals[0]?.reason).toBe(error);
    const second = region.getOrLoad(row(1), source.load);
    await settled();
    source.give({ version: 1 }, 1);
    source.give({ version: 2 }, 2);
    expect(await second).toEqual({ version: 2 });
    expect(await region.getOrLoad(row(1), source.load)).toEqual({ version: 2 });
    expect(region.statistics()).toMatchObject({ loads: 2, failedLoads: 1 });
  });

  it('does not abort a load that has ended in time', async () => {
    const { timing, region } = start({ hardTimeout: 300 });
    const source = new Source<Row>();
    const reading = region.getOrLoad(row(1), source.load);
    await settled();
    source.give({ version: 1 });
    await reading;
    timing.advance(1_000);
    await settled();
    expect(source.signals[0]?.aborted).toBe(false);
  });

  it('gives those who would wait what is within its grace, where it is told to', async () => {
    const { timing, region } = start({ timeToLive: 10_000, grace: HOUR, staleWhileLoading: true });
    await region.getOrLoad(row(1), counting());
    timing.advance(10_001);
    const source = new Source<Row>();
    const first = region.getOrLoad(row(1), source.load);
    await settled();
    expect(await region.getOrLoad(row(1), source.load)).toEqual({ version: 1 });
    source.give({ version: 2 });
    expect(await first).toEqual({ version: 2 });
    expect(source.loads).toBe(1);
  });

  it('is loaded once for a thousand readers', async () => {
    const { region } = start();
    const source = new Source<Row>();
    const readers = Array.from({ length: 1_000 }, () => region.getOrLoad(row(1), source.load));
    await settled();
    source.give({ version: 1 });
    const values = await Promise.all(readers);
    expect(source.loads).toBe(1);
    expect(new Set(values).size).toBe(1);
    expect(region.statistics()).toMatchObject({ misses: 1, loads: 1, waits: 999 });
  });

  it('fails for all who wait for a load that fails, and is loaded again by the next', async () => {
    const { region } = start();
    const source = new Source<Row>();
    const readers = Promise.allSettled(Array.from({ length: 10 }, () => region.getOrLoad(row(1), source.load)));
    await settled();
    source.fail(BROKEN);
    expect(new Set((await readers).map((each) => each.status === 'rejected' && each.reason))).toEqual(
      new Set([BROKEN]),
    );
    expect(await region.getOrLoad(row(1), counting())).toEqual({ version: 1 });
  });

  it.each([
    ['its key', { keys: [row(1).key], tags: [] }],
    ['a tag of it', { keys: [], tags: ['{t}:rows'] }],
    ['everything', undefined],
  ])(
    'is loaded again by those who come after %s was invalidated during a load, whose value is kept nowhere',
    async (_what, targets) => {
      const { cache, region } = start();
      const source = new Source<Row>();
      const before = region.getOrLoad(row(1), source.load);
      await settled();
      void (targets ? cache.invalidate(targets) : cache.clear());
      const after = region.getOrLoad(row(1), source.load);
      await settled();
      expect(source.loads).toBe(2);
      source.give({ version: 2 }, 2);
      expect(await after).toEqual({ version: 2 });
      source.give({ version: 1 }, 1);
      expect(await before).toEqual({ version: 1 });
      await settled();
      const last = await region.getOrLoad(row(1), async () => ({ version: 2 }));
      expect(last).toEqual({ version: 2 });
    },
  );

  it('keeps other rows when one is invalidated, and forgets all of a tag', async () => {
    const { cache, region } = start();
    const load = counting();
    for (const name of [1, 2]) await region.getOrLoad(row(name), load);
    await cache.invalidate({ keys: [row(1).key], tags: [] });
    expect(await region.getOrLoad(row(2), load)).toEqual({ version: 2 });
    expect(await region.getOrLoad(row(1), load)).toEqual({ version: 3 });
    await cache.invalidate({ keys: [], tags: ['{t}:rows'] });
    expect(await region.getOrLoad(row(1), load)).toEqual({ version: 4 });
    expect(await region.getOrLoad(row(2), load)).toEqual({ version: 5 });
  });

  it('gives frozen values, whoever loads them', async () => {
    const { region } = start();
    for (const value of [await region.getOrLoad(row(1), loadParts), await region.getOrLoad(row(1), loadParts)]) {
      expect([value, value?.parts, value?.parts?.[0]].every(Object.isFrozen)).toBe(true);
    }
  });

  it('loads all that is missing together, and leaves out what there is none of', async () => {
    const { region } = start();
    await region.getOrLoad(row(2), async () => ({ version: 20 }));
    const loadMany = vi.fn(async (names: readonly number[]) => {
      return new Map(names.filter((name) => name !== 3).map((name) => [name, { version: name * 10 }]));
    });
    const addresses = new Map([1, 2, 3, 4].map((name) => [name, row(name)]));
    const found = await region.getManyOrLoad(addresses, loadMany);
    expect([...found]).toEqual([
      [1, { version: 10 }],
      [2, { version: 20 }],
      [4, { version: 40 }],
    ]);
    expect(loadMany.mock.calls.map(([names]) => names)).toEqual([[1, 3, 4]]);
    expect(await region.getManyOrLoad(addresses, loadMany)).toEqual(found);
    expect(loadMany).toHaveBeenCalledTimes(1);
  });

  it('loads nothing for no addresses', async () => {
    const { region } = start();
    const loadMany = vi.fn(async () => new Map<number, Row>());
    expect(await region.getManyOrLoad(new Map(), loadMany)).toEqual(new Map());
    expect(loadMany).not.toHaveBeenCalled();
  });

  it('gives two names of one address the same value', async () => {
    const { region } = start();
    const loadMany = vi.fn(async (names: readonly string[]) => new Map(names.map((name) => [name, { version: 7 }])));
    const addresses = new Map([
      ['a', row(1)],
      ['b', row(1)],
    ]);
    expect([...(await region.getManyOrLoad(addresses, loadMany)).values()]).toEqual([{ version: 7 }, { version: 7 }]);
    expect(loadMany.mock.calls.flatMap(([names]) => names)).toEqual(['a']);
  });

  it('loads its own part of a batch while another part waits for the load of someone else', async () => {
    const { region } = start();
    const source = new Source<Row>();
    const alone = region.getOrLoad(row(1), source.load);
    await settled();
    const loadMany = vi.fn(async (names: readonly number[]) => new Map(names.map((name) => [name, { version: name }])));
    const batch = region.getManyOrLoad(new Map([1, 2, 3].map((name) => [name, row(name)])), loadMany);
    await settled();
    expect(loadMany.mock.calls.map(([names]) => names)).toEqual([[2, 3]]);
    source.give({ version: 100 });
    await alone;
    expect((await batch).get(1)).toEqual({ version: 100 });
  });

  it('lets two batches that overlap in opposite order end', async () => {
    const { region } = start();
    const loadMany = vi.fn(async (names: readonly number[]) => {
      await settled();
      return new Map(names.map((name) => [name, { version: name }]));
    });
    const names = Array.from({ length: 50 }, (_, index) => index);
    const batches = [names, names.toReversed(), names.slice(20), names.slice(0, 30).toReversed()].map((order) =>
      region.getManyOrLoad(new Map(order.map((name) => [name, row(name)])), loadMany),
    );
    for (const found of await Promise.all(batches)) {
      for (const [name, value] of found) expect(value).toEqual({ version: name });
    }
    expect(loadMany.mock.calls.flatMap(([asked]) => asked).toSorted((a, b) => a - b)).toEqual(names);
  });

  it('fails a batch whose load fails, and whoever waits for a part of it, and nobody else', async () => {
    const { region } = start();
    await region.getOrLoad(row(9), async () => ({ version: 9 }));
    const gate = Promise.withResolvers<Map<number, Row>>();
    const failing = region.getManyOrLoad(addressesOf([1, 2]), () => gate.promise);
    await settled();
    const waiting = region.getOrLoad(row(2), counting());
    const others = region.getManyOrLoad(addressesOf([3, 9]), async (names) => {
      return new Map(names.map((name) => [name, { version: name }]));
    });
    gate.reject(BROKEN);
    await expect(failing).rejects.toBe(BROKEN);
    await expect(waiting).rejects.toBe(BROKEN);
    expect((await others).size).toBe(2);
    // The keys are free again.
    expect(await region.getOrLoad(row(2), counting())).toEqual({ version: 1 });
  });

  it('tells the load of a batch that it is given up', async () => {
    const { timing, region } = start({ hardTimeout: 300 });
    let given: AbortSignal | undefined;
    const batch = region.getManyOrLoad(new Map([[1, row(1)]]), (_names, signal) => {
      given = signal;
      return new Promise(() => undefined);
    });
    const failed = batch.catch((error: unknown) => error);
    await settled();
    timing.advance(300);
    expect(await failed).toBeInstanceOf(LoadTimeoutError);
    expect(given?.reason).toBeInstanceOf(LoadTimeoutError);
  });

  it('is loaded by each reader where it is not to be cached', async () => {
    const { region } = start({ consistency: 'none' });
    const load = counting();
    await region.getOrLoad(row(1), load);
    expect(await region.getOrLoad(row(1), load)).toEqual({ version: 2 });
    const loadMany = vi.fn(async (names: readonly number[]) => new Map(names.map((name) => [name, { version: name }])));
    const addresses = new Map([1, 2].map((name) => [name, row(name)]));
    for (let count = 0; count < 2; count += 1) await region.getManyOrLoad(addresses, loadMany);
    expect(loadMany.mock.calls.map(([names]) => names)).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(region.statistics()).toMatchObject({ entries: 0, loads: 0 });
  });

  it('never has more entries than it may, and counts those that had to go', async () => {
    const { region } = start({ maxEntries: 3 });
    for (let name = 1; name <= 5; name += 1) await region.getOrLoad(row(name), counting());
    expect(region.statistics()).toMatchObject({ entries: 3, evictions: 2 });
    expect(region.statistics().bytes).toBeGreaterThan(0);
  });

  it('counts what becomes of its reads', async () => {
    const { region } = start();
    await region.getOrLoad(row(1), counting());
    await region.getOrLoad(row(1), counting());
    await region.getOrLoad(row(2), fail).catch(() => undefined);
    expect(region.statistics()).toMatchObject({
      hits: { local: 1, shared: 0 },
      misses: 2,
      loads: 2,
      failedLoads: 1,
      waits: 0,
      staleServes: 0,
      errors: 0,
      foreignEntries: 0,
      entries: 1,
      evictions: 0,
      latency: { load: { count: 2 }, shared: { count: 2 } },
    });
  });

  it('ends the wait for an invalidation of nothing', async () => {
    const { caches, cache } = start();
    const begun = caches.timing.now();
    await caches.ended(cache.invalidate({ keys: [], tags: [] }));
    await caches.ended(cache.invalidateStrong({ keys: [], tags: [] }));
    expect(caches.timing.now()).toBe(begun);
  });
});
