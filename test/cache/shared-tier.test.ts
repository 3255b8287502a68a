import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { NullTier } from '../../src/cache/null-tier.js';
import type { RedisLink } from '../../src/cache/redis-link.js';
import { RedisTier } from '../../src/cache/redis-tier.js';
import type { Address, Found, Lease, SharedTier, Targets } from '../../src/cache/shared-tier.js';
import { TieredCache } from '../../src/cache/tiered-cache.js';
import { availableRedis } from '../support/available-redis.js';
import { MACHINE_TIMING } from '../support/machine-timing.js';
import { NO_OWN_REDIS } from '../support/own-redis.js';
import { startOwnRedisCluster } from '../support/own-redis-cluster.js';
import { openLink, SOON, untilUp } from '../support/redis-links.js';

/** Nothing is broken here: a machine that is busy shall break nothing either. */
const PATIENT = { commandTimeout: 10_000 };
const MINUTE = 60_000;

const ROW: Address = { key: '{a}:rows:id:1', tags: ['{a}:rows', '{a}:all'] };
const NEXT: Address = { key: '{a}:rows:id:2', tags: ['{a}:rows'] };
/** Of another tenant, and so at another node of a cluster, maybe. */
const OTHER: Address = { key: '{b}:rows:id:1', tags: ['{b}:rows'] };
const BARE: Address = { key: '{c}:rows:id:1', tags: [] };
const NOTHING: Found = { kind: 'nothing' };

interface Place {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const server = await availableRedis();
const PLACES: readonly (readonly [name: string, absent: string | undefined, start: () => Promise<Place>])[] = [
  ['a Redis server', typeof server === 'string' ? server : undefined, async () => server as Place],
  ['a Redis cluster', NO_OWN_REDIS, startOwnRedisCluster],
];

let namespaces = 0;

/** The lease of an address that nobody is loading and that has no value. */
async function leased(tier: SharedTier, address: Address, milliseconds = MINUTE, instead?: string): Promise<Lease> {
  const found = await tier.acquire(address, milliseconds, instead);
  if (found.kind !== 'lease') throw new Error(`there was no lease, but ${found.kind}`);
  return found;
}

async function stored(tier: SharedTier, address: Address, text: string): Promise<string | undefined> {
  return tier.store(await leased(tier, address), () => text, MINUTE);
}

describe.each(PLACES)('Tier two on %s', (_name, absent, start) => {
  describe.skipIf(absent)(absent === undefined ? 'which is there' : `(skipped: ${absent})`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await start();
    });
    afterAll(async () => place?.close());

    /** Tiers of several processes, and a link that reads and writes their keys by hand. */
    async function open(count = 2) {
      const namespace = `colloquy-test-${String(process.pid)}-${String((namespaces += 1))}`;
      let tokens = 0;
      const links: RedisLink[] = [];
      const tiers: RedisTier[] = [];
      for (let number = 0; number < count; number += 1) {
        const link = await openLink(place.url, PATIENT);
        await untilUp(link);
        links.push(link);
        const token = (): string => `${String(number)}.${String((tokens += 1))}`;
        tiers.push(new RedisTier(link, { namespace, token }));
      }
      const [link, [one, other]] = [links[0] as RedisLink, tiers as [RedisTier, RedisTier]];
      onTestFinished(() => one.clear('').catch(() => undefined));
      const at = ({ key }: Address): string => `${namespace}:${key}`;
      return {
        one,
        other,
        links,
        raw: async (address: Address) => (await link.send([['get', at(address)]]))[0] as string | null,
        put: (address: Address, text: string) => link.send([['set', at(address), text, 'PX', MINUTE]]),
        send: (address: Address, name: string, ...values: string[]) => link.send([[name, at(address), ...values]]),
      };
    }

    it('has nothing at first, and is there', async () => {
      const { one } = await open();
      expect([one.isUp, one.isShared, one.isExact, one.localMaxAge]).toEqual([true, true, false, Infinity]);
      for (const address of [ROW, BARE]) expect(await one.read(address)).toEqual(NOTHING);
    });

    it.each([ROW, BARE])('gives one lease at a time of $key, and then the value to everybody', async (address) => {
      const { one, other } = await open();
      const attempts = await Promise.all([one, other, one, other].map((tier) => tier.acquire(address, MINUTE)));
      expect(attempts.map(({ kind }) => kind).toSorted()).toEqual(['lease', 'leased', 'leased', 'leased']);
      expect(await other.read(address)).toEqual({ kind: 'leased' });
      const lease = attempts.find((each) => each.kind === 'lease') as Lease;
      const version = await one.store(lease, () => 'the value', MINUTE);
      expect(version).toEqual(expect.any(String));
      const value: Found = { kind: 'value', text: 'the value', version: version ?? '' };
      expect([await other.read(address), await one.acquire(address, MINUTE)]).toEqual([value, value]);
    });

    it('stores a value once for a lease', async () => {
      const { one } = await open();
      const lease = await leased(one, ROW);
      expect(await one.store(lease, () => 'first', MINUTE)).toBeDefined();
      expect(await one.store(lease, () => 'second', MINUTE)).toBeUndefined();
      expect(await one.read(ROW)).toMatchObject({ text: 'first' });
    });

    it.each<[string, Targets]>([
      ['its key', { keys: [ROW.key], tags: [] }],
      ['one of its tags', { keys: [], tags: ['{a}:all'] }],
      ['its key and a tag', { keys: [ROW.key], tags: ['{a}:all'] }],
    ])(
      'gives nobody what was stored, or is stored later by a load that began before %s was invalidated',
      async (_what, targets) => {
        const { one, other } = await open();
        const lease = await leased(one, ROW);
        await stored(one, NEXT, 'kept');
        await other.invalidate(targets);
        await one.store(lease, () => 'old', MINUTE);
        expect((await one.read(ROW)).kind).not.toBe('value');
        expect((await other.read(ROW)).kind).not.toBe('value');
        await stored(other, ROW, 'new');
        expect(await one.read(ROW)).toMatchObject({ text: 'new' });
        expect(await one.read(NEXT)).toMatchObject({ text: 'kept' });
        await one.invalidate(targets);
        expect((await other.read(ROW)).kind).toBe('nothing');
      },
    );

    it('takes every value of a tag away, and those of other tenants stay', async () => {
      const { one, other } = await open();
      for (const address of [ROW, NEXT, OTHER, BARE]) await stored(one, address, address.key);
      await other.invalidate({ keys: [BARE.key], tags: ['{a}:rows'] });
      for (const address of [ROW, NEXT, BARE]) expect(await one.read(address)).toEqual(NOTHING);
      expect(await one.read(OTHER)).toMatchObject({ text: OTHER.key });
    });

    it('takes many targets of many tenants at once', async () => {
      const { one, other } = await open();
      const addresses = Array.from({ length: 200 }, (_unused, index) => {
        return { key: `{t${String(index)}}:rows:id:1`, tags: [`{t${String(index)}}:rows`] };
      });
      await Promise.all(addresses.map((address) => stored(one, address, 'value')));
      await other.invalidate({
        keys: addresses.slice(0, 100).map(({ key }) => key),
        tags: addresses.slice(100).flatMap(({ tags }) => tags),
      });
      const found = await Promise.all(addresses.map((address) => one.read(address)));
      expect(found.filter(({ kind }) => kind === 'value')).toEqual([]);
    });

    it('gives another the lease when it has run out, and whoever had it stores nothing', async () => {
      const { one, other } = await open();
      const lease = await leased(one, ROW, 20);
      const second = await vi.waitFor(() => leased(other, ROW), SOON);
      expect(await one.store(lease, () => 'old', MINUTE)).toBeUndefined();
      await one.release(lease);
      expect(await one.read(ROW)).toEqual({ kind: 'leased' });
      expect(await other.store(second, () => 'new', MINUTE)).toBeDefined();
      expect(await one.read(ROW)).toMatchObject({ text: 'new' });
    });

    it('keeps a value for a time that begins with its lease', async () => {
      const { one, send } = await open();
      const lease = await leased(one, ROW);
      await vi.waitFor(async () => expect(Number((await send(ROW, 'pttl'))[0])).toBeLessThan(MINUTE - 100), SOON);
      expect(await one.store(lease, () => 'too late', 100)).toBeUndefined();
      expect(await one.read(ROW)).toEqual(NOTHING);
      await one.store(await leased(one, ROW), () => 'short', 50);
      await vi.waitFor(async () => expect(await one.read(ROW)).toEqual(NOTHING), SOON);
    });

    it('frees what is released', async () => {
      const { one, other } = await open();
      await one.release(await leased(one, ROW));
      expect(await other.read(ROW)).toEqual(NOTHING);
      expect((await other.acquire(ROW, MINUTE)).kind).toBe('lease');
    });

    it('lets a value give way for a lease to who names its version, once', async () => {
      const { one, other } = await open();
      const version = await stored(one, ROW, 'no longer fresh');
      expect(await other.acquire(ROW, MINUTE, 'another version')).toMatchObject({ kind: 'value', version });
      const lease = await leased(other, ROW, MINUTE, version);
      expect(await one.acquire(ROW, MINUTE, version)).toEqual({ kind: 'leased' });
      const next = await other.store(lease, () => 'fresh', MINUTE);
      expect(await one.acquire(ROW, MINUTE, version)).toEqual({ kind: 'value', text: 'fresh', version: next });
    });

    it.each([
      ['nothing', ''],
      ['a line', '\n'],
      ['what looks like a lease', 'Ltoken'],
      ['what looks like a value', 'Vtoken\nrun\ntext'],
      ['any characters', '\u{1F600} \0 \r\n é \uFFFD'],
      ['a million characters', 'é'.repeat(1_000_000)],
    ])('gives %s back as it was stored', async (_what, text) => {
      const { one, other } = await open();
      for (const address of [ROW, BARE]) {
        await stored(one, address, text);
        expect((await other.read(address)) as { readonly text: string }).toMatchObject({ kind: 'value', text });
      }
    });

    it.each<[string, (text: string) => string]>([
      ['an empty text', () => ''],
      ['one letter', () => 'V'],
      ['a head alone', () => 'V\n'],
      ['a head with nothing after it', () => 'Vversion\n\n'],
      ['any text', () => 'whatever'],
      ['JSON', () => '{"value":1}'],
      ['no characters that anybody can read', () => '\0\u0001\uFFFD\uFFFF'],
      ['five million letters', () => 'V'.repeat(5_000_000)],
      ['a value that ends in its stamp', (text) => text.slice(0, text.lastIndexOf('\n') - 3)],
      ['a value whose stamp goes on', (text) => text.replace(/\n(.*)\n/, '\n$1x\n')],
      ['a value of another run', (text) => text.replace(/\n\w+/, '\nanother')],
      ['a value of other generations', (text) => text.replace(/\n(\S+)[^\n]*\n/, '\n$1 0 0\n')],
    ])('gives nothing of %s, and has a value in its place', async (_what, change) => {
      const { one, other, raw, put } = await open();
      await stored(one, ROW, 'the value');
      const text = (await raw(ROW)) ?? '';
      expect(change(text)).not.toBe(text);
      await put(ROW, change(text));
      // What nobody has written is given on as a value that cannot be read, so that it is counted.
      expect([NOTHING, { kind: 'value', text: '', version: '' }]).toContainEqual(await other.read(ROW));
      const lease = await other.acquire(ROW, MINUTE, '');
      if (lease.kind !== 'lease') throw new Error('there is no lease');
      await other.store(lease, () => 'in its place', MINUTE);
      expect(await one.read(ROW)).toMatchObject({ text: 'in its place' });
    });

    it('has an error for a key that holds no text, until it is invalidated', async () => {
      const { one, other, send } = await open();
      await send(ROW, 'rpush', 'an item');
      expect(await one.read(ROW)).toEqual(NOTHING);
      await expect(one.acquire(ROW, MINUTE)).rejects.toThrow('WRONGTYPE');
      await other.invalidate({ keys: [ROW.key], tags: [] });
      await stored(one, ROW, 'in its place');
      expect(await other.read(ROW)).toMatchObject({ text: 'in its place' });
    });

    it('loses its values when a tag is lost, and nothing else', async () => {
      const { one, other, send } = await open();
      await stored(one, ROW, 'the value');
      await send({ key: '{a}:all', tags: [] }, 'del');
      expect(await one.read(ROW)).toEqual(NOTHING);
      await stored(other, ROW, 'the next');
      expect(await one.read(ROW)).toMatchObject({ text: 'the next' });
    });

    it('forgets what begins with a prefix, or everything, leases included, and names what there is', async () => {
      const { one, other } = await open();
      const keysOf = async (): Promise<string[]> => {
        const names: string[] = [];
        for await (const some of other.keys()) names.push(...some);
        return names.filter((name) => name.includes(':id:')).toSorted();
      };
      for (const address of [ROW, NEXT, OTHER]) await stored(one, address, 'value');
      const lease = await leased(other, BARE);
      expect(await keysOf()).toEqual([ROW.key, NEXT.key, OTHER.key, BARE.key]);
      await one.clear('{a}:');
      expect(await keysOf()).toEqual([OTHER.key, BARE.key]);
      await one.clear();
      expect(await keysOf()).toEqual([]);
      expect(await other.store(lease, () => 'old', MINUTE)).toBeUndefined();
      for (const address of [ROW, NEXT, OTHER, BARE]) expect(await other.read(address)).toEqual(NOTHING);
    });

    it('tells subscribers what others have invalidated, in order, and not what they themselves have', async () => {
      const { one, other } = await open();
      const told: unknown[] = [];
      one.subscribe({ invalidated: (targets) => told.push(targets), missed: () => told.push('missed') });
      await vi.waitFor(() => expect(one.heardUntil).toBeGreaterThan(-Infinity), SOON);
      expect(told).toEqual(['missed']);
      await one.invalidate({ keys: [ROW.key], tags: [] });
      await other.invalidate({ keys: [ROW.key], tags: ['{b}:rows'] });
      await one.clear();
      await other.clear('{a}:');
      await other.invalidate({ keys: [], tags: ['last'] });
      const heard = ['missed', { keys: [ROW.key], tags: ['{b}:rows'] }, 'missed', { keys: [], tags: ['last'] }];
      await vi.waitFor(() => expect(told).toHaveLength(heard.length), SOON);
      expect(told).toEqual(heard);
    });

    it.each(['', 'no JSON', '[]', '{}', '["someone"]', '["someone",[1],[]]', '["someone",null,null]'])(
      'takes the announcement %j, which nobody here has made, for one of everything',
      async (text) => {
        const { one, links } = await open();
        const told: unknown[] = [];
        one.subscribe({ invalidated: (targets) => told.push(targets), missed: () => told.push('missed') });
        await vi.waitFor(() => expect(one.heardUntil).toBeGreaterThan(-Infinity), SOON);
        const channel = `colloquy-test-${String(process.pid)}-${String(namespaces)}:invalidated`;
        await links[1]?.send([['publish', channel, text]]);
        await vi.waitFor(() => expect(told).toEqual(['missed', 'missed']), SOON);
      },
    );

    it('knows what each process has said last, until it takes it back', async () => {
      const { one, other } = await open();
      for (const text of ['one', 'one again']) await one.report(text);
      await other.report('other');
      expect((await other.reports()).toSorted()).toEqual(['one again', 'other']);
      await one.clear();
      await one.report(undefined);
      expect(await one.reports()).toEqual(['other']);
      await other.report(undefined);
      expect(await one.reports()).toEqual([]);
    });

    it.each<[string, (text: string) => string]>([
      ['is cut off', (text) => text.slice(0, -3)],
      ['has no head', (text) => text.replace(/\d+ (?=[^ ]*$)/, '')],
      ['holds something else', (text) => text.replace(/\{.*$/, '<html>')],
      ['holds nested brackets without end', (text) => text.replace(/\{.*$/, '['.repeat(100_000))],
    ])('makes no reader fail by a value that %s', async (_what, change) => {
      const { one, other, raw, put } = await open();
      const errors: unknown[] = [];
      const [writer, reader] = [one, other].map((shared) => {
        const cache = new TieredCache({ shared, timing: MACHINE_TIMING, onError: (error) => errors.push(error) });
        return cache.region<{ readonly version: number }>('rows', { consistency: 'strong' });
      });
      await writer?.getOrLoad(ROW, async () => ({ version: 1 }));
      const text = (await raw(ROW)) ?? '';
      const [head = '', stamp = '', value = ''] = text.split('\n');
      await put(ROW, [head, stamp, change(value)].join('\n'));
      expect(change(value)).not.toBe(value);
      expect(await reader?.getOrLoad(ROW, async () => ({ version: 2 }))).toEqual({ version: 2 });
      expect([reader?.statistics().foreignEntries, errors.length]).toEqual([1, 1]);
      expect(await writer?.getOrLoad(ROW, async () => ({ version: 3 }))).toEqual({ version: 2 });
    });

    it.each(['', 'whatever', '{"value":1}', '\0\u0001\uFFFD'])(
      'takes the entry %j for a miss, and tells of it once',
      async (text) => {
        const { one, put } = await open();
        const errors: unknown[] = [];
        const cache = new TieredCache({ shared: one, timing: MACHINE_TIMING, onError: (error) => errors.push(error) });
        const region = cache.region<{ readonly version: number }>('rows', { consistency: 'strong' });
        await put(ROW, text);
        expect(await region.getOrLoad(ROW, async () => ({ version: 1 }))).toEqual({ version: 1 });
        expect(await region.getOrLoad(ROW, async () => ({ version: 2 }))).toEqual({ version: 1 });
        expect([region.statistics().foreignEntries, errors.length]).toEqual([1, 1]);
      },
    );

    it('refuses every call when it is closed', async () => {
      const { one } = await open();
      await one.close();
      expect(one.isUp).toBe(false);
      const calls = [one.read(ROW), one.acquire(ROW, 1), one.invalidate({ keys: [], tags: [] }), one.clear()];
      for (const { status } of await Promise.allSettled([...calls, one.report(''), one.reports()])) {
        expect(status).toBe('rejected');
      }
    });
  });
});

describe('No tier two', () => {
  it('keeps nothing, and lets everybody load: whoever keeps something does it for himself', async () => {
    const tier: SharedTier = new NullTier({ localMaxAge: 1_000 });
    expect([tier.isUp, tier.isShared, tier.isExact, tier.localMaxAge]).toEqual([true, false, false, 1_000]);
    const [first, second] = [await leased(tier, ROW), await leased(tier, ROW)];
    const versions = [await tier.store(first, () => 'a', MINUTE), await tier.store(second, () => 'b', MINUTE)];
    expect(new Set(versions).size).toBe(2);
    expect(await tier.read(ROW)).toEqual(NOTHING);
    await tier.release(first);
    await tier.invalidate({ keys: [ROW.key], tags: [...ROW.tags] });
    await tier.clear();
    await tier.report('text');
    expect(await tier.reports()).toEqual([]);
    for await (const keys of tier.keys()) expect(keys).toEqual([]);
    await tier.close();
  });

  it('needs no text of what it does not store', async () => {
    const tier: SharedTier = new NullTier({ localMaxAge: 1_000 });
    const makeText = vi.fn(() => 'text');
    await tier.store(await leased(tier, ROW), makeText, MINUTE);
    expect(makeText).not.toHaveBeenCalled();
  });

  it('says that anything may have changed whenever the version of the database has, once', () => {
    let version: number | undefined = 1;
    const tier: SharedTier = new NullTier({ localMaxAge: 1_000, databaseVersion: () => version });
    const missed = vi.fn();
    tier.subscribe({ invalidated: missed, missed });
    expect([tier.isExact, tier.heardUntil, tier.heardUntil]).toEqual([true, Infinity, Infinity]);
    expect(missed).not.toHaveBeenCalled();
    version = 2;
    expect([tier.heardUntil, tier.heardUntil]).toEqual([Infinity, Infinity]);
    expect(missed).toHaveBeenCalledTimes(1);
    version = undefined;
    expect(tier.heardUntil).toBe(-Infinity);
  });
});
