import { array, assert, constantFrom, nat, oneof, property, record, subarray, constant, integer } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalTier, type Eviction, type LocalEntry } from '../../src/cache/local-tier.js';
import { FakeTiming } from './support/fake-timing.js';
import { NaiveTier } from './support/naive-tier.js';

const EVICTIONS: readonly Eviction[] = ['lru', 'lfu', 'fifo', 'ttl'];
const KEYS = ['', ...'abcdefghijklmnopqrs'.split('')];
const TAGS = ['red', 'green', 'blue'];
const LIMITS = { maxEntries: 12, maxBytes: 200 };

function entryOf(changes: Partial<LocalEntry> = {}): LocalEntry {
  return { value: {}, version: '1', bytes: 10, freshUntil: 2_000, keepUntil: 5_000, tags: [], ...changes };
}

/** Which of four entries are left where there is room for three, and the first three were used in a way. */
function survivors(eviction: Eviction, use: (tier: LocalTier) => void): string[] {
  const tier = new LocalTier(eviction, { maxEntries: 3, maxBytes: 100 }, new FakeTiming());
  tier.set('a', entryOf({ keepUntil: 9_000 }));
  tier.set('b', entryOf({ keepUntil: 3_000 }));
  tier.set('c', entryOf({ keepUntil: 6_000 }));
  use(tier);
  tier.set('d', entryOf({ keepUntil: 2_000 }));
  return ['a', 'b', 'c', 'd'].filter((each) => tier.get(each));
}

const key = constantFrom(...KEYS);
const step = oneof(
  {
    weight: 18,
    arbitrary: record({
      do: constant('set'),
      key,
      bytes: oneof({ weight: 5, arbitrary: nat(30) }, nat(240)),
      life: nat(200),
      tags: subarray(TAGS),
    }),
  },
  {
    weight: 4,
    arbitrary: record({ do: constant('get'), key, times: oneof(constant(1), integer({ min: 2, max: 100 })) }),
  },
  record({ do: constant('delete'), key }),
  record({ do: constant('deleteTagged'), tag: constantFrom(...TAGS) }),
  record({ do: constant('clear') }),
  { weight: 6, arbitrary: record({ do: constant('advance'), milliseconds: nat(20) }) },
);

describe.each(EVICTIONS)('a local tier that makes room by %s', (eviction) => {
  it('keeps what a list would that is sorted for everything', () => {
    let evictions = 0;
    let expired = 0;
    const check = property(array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const timing = new FakeTiming();
      const tier = new LocalTier(eviction, LIMITS, timing);
      const naive = new NaiveTier(eviction, LIMITS);
      for (const command of steps) {
        if (command.do === 'set' && 'life' in command) {
          const { bytes, tags, life } = command;
          const entry = entryOf({ bytes, tags, keepUntil: timing.now() + life });
          tier.set(command.key, entry);
          naive.set(command.key, entry);
        } else if (command.do === 'get' && 'times' in command) {
          for (let time = 0; time < command.times; time += 1) {
            const expected = naive.get(command.key, timing.now());
            if (!expected) expired += 1;
            expect(tier.get(command.key)).toBe(expected);
          }
        } else if ('key' in command) expect(tier.delete(command.key)).toBe(naive.delete(command.key));
        else if ('tag' in command) expect(tier.deleteTagged(command.tag)).toBe(naive.deleteTagged(command.tag));
        else if ('milliseconds' in command) timing.advance(command.milliseconds);
        else {
          tier.clear();
          naive.clear();
        }
        expect(tier.size).toBeLessThanOrEqual(LIMITS.maxEntries);
        expect(tier.bytes).toBeLessThanOrEqual(LIMITS.maxBytes);
        const { size, bytes, tags, evictions: gone } = naive;
        expect([tier.size, tier.bytes, tier.tags, tier.evictions]).toEqual([size, bytes, tags, gone]);
      }
      for (const last of KEYS) expect(tier.get(last)).toBe(naive.get(last, timing.now()));
      for (const last of KEYS) tier.delete(last);
      expect([tier.size, tier.bytes, tier.tags]).toEqual([0, 0, 0]);
      evictions += tier.evictions;
    });
    assert(check, { numRuns: 600 });
    expect(evictions).toBeGreaterThan(1_000);
    expect(expired).toBeGreaterThan(1_000);
  });

  it('gives an entry that is no longer fresh, and none from keepUntil on', () => {
    const timing = new FakeTiming();
    const tier = new LocalTier(eviction, LIMITS, timing);
    const entry = entryOf({ tags: ['red'] });
    tier.set('a', entry);
    timing.advance(3_999);
    expect(tier.get('a')).toBe(entry);
    timing.advance(1);
    expect(tier.get('a')).toBeUndefined();
    expect([tier.size, tier.bytes, tier.tags, tier.evictions]).toEqual([0, 0, 0, 0]);
  });

  it('keeps nothing that is greater than all its room, and not what was in its place', () => {
    const tier = new LocalTier(eviction, LIMITS, new FakeTiming());
    tier.set('a', entryOf({ tags: ['red'] }));
    tier.set('b', entryOf());
    tier.set('a', entryOf({ bytes: 201, tags: ['red'] }));
    expect(tier.get('a')).toBeUndefined();
    expect(tier.get('b')).toBeDefined();
    expect([tier.size, tier.bytes, tier.tags, tier.evictions]).toEqual([1, 10, 0, 0]);
  });

  it('knows an entry by the tags that it has now', () => {
    const tier = new LocalTier(eviction, LIMITS, new FakeTiming());
    tier.set('a', entryOf({ tags: ['red', 'red'] }));
    tier.set('a', entryOf({ tags: ['blue'] }));
    expect(tier.deleteTagged('red')).toBe(0);
    expect(tier.deleteTagged('blue')).toBe(1);
    expect([tier.size, tier.tags]).toEqual([0, 0]);
  });

  it('keeps one entry where there is room for one', () => {
    const tier = new LocalTier(eviction, { maxEntries: 1, maxBytes: 10 }, new FakeTiming());
    for (const each of KEYS) tier.set(each, entryOf());
    expect([tier.size, tier.evictions]).toEqual([1, KEYS.length - 1]);
    expect(tier.get(KEYS.at(-1) ?? '')).toBeDefined();
  });
});

describe('of entries that do not all fit', () => {
  it('the least recently used goes by lru', () => {
    expect(survivors('lru', (tier) => tier.get('a'))).toEqual(['a', 'c', 'd']);
  });

  it('the one that was stored first goes by fifo, however it is read', () => {
    expect(survivors('fifo', (tier) => tier.get('a'))).toEqual(['b', 'c', 'd']);
  });

  it('an entry that was put in place of another is new by fifo', () => {
    expect(survivors('fifo', (tier) => tier.set('a', entryOf()))).toEqual(['a', 'c', 'd']);
  });

  it('the one that expires first goes by ttl, but never the one that comes', () => {
    expect(survivors('ttl', (tier) => tier.get('b'))).toEqual(['a', 'c', 'd']);
  });

  it('the least often used goes by lfu', () => {
    const left = survivors('lfu', (tier) => {
      for (const each of ['b', 'b', 'a', 'a', 'c']) tier.get(each);
    });
    expect(left).toEqual(['a', 'b', 'd']);
  });

  it('what was popular long ago goes in the end by lfu, and what is read again and again stays', () => {
    const tier = new LocalTier('lfu', { maxEntries: 4, maxBytes: 100 }, new FakeTiming());
    tier.set('past', entryOf());
    for (let use = 0; use < 100_000; use += 1) tier.get('past');
    tier.set('present', entryOf());
    for (let other = 0; other < 1_000; other += 1) {
      tier.set(`other ${String(other)}`, entryOf());
      expect(tier.get('present')).toBeDefined();
    }
    expect(tier.get('past')).toBeUndefined();
  });
});
