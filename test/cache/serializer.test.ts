import { isDeepStrictEqual } from 'node:util';
import { array, assert, constantFrom, double, nat, oneof, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ForeignEntryError, NotSerializableError } from '../../src/cache/serializer-errors.js';
import { Serializer } from '../../src/cache/serializer.js';
import { plainData } from './support/plain-data.js';

class Money {
  constructor(
    readonly amount: number,
    readonly at: Date,
  ) {}
}

class Unknown {
  readonly secret = 'content';
}

function serializer(): Serializer {
  const made = new Serializer();
  made.registerClass(Money, 'money');
  return made;
}

function roundTrip(value: unknown): unknown {
  return serializer().deserialize(serializer().serialize(value));
}

function refusal(value: unknown): NotSerializableError {
  try {
    serializer().serialize(value);
  } catch (error) {
    if (error instanceof NotSerializableError) return error;
  }
  throw new Error('It was not refused');
}

function withMeta(json: unknown, values: unknown): string {
  return JSON.stringify({ json, meta: { values, v: 1 } });
}

describe('what is serialised', () => {
  it('comes back as it went in, whatever data it is', () => {
    assert(
      property(plainData(), (value) => isDeepStrictEqual(roundTrip(value), value)),
      { numRuns: 2_000 },
    );
  });

  const error = Object.assign(new Error('broken', { cause: new Error('why') }), { name: 'Trouble' });
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a Date', new Date(1)],
    ['a Date under an empty name', { '': new Date(1), a: { '': new Date(2) } }],
    ['-0', [-0, Number.NaN, Number.NEGATIVE_INFINITY]],
    ['undefined in a list', [undefined, { a: undefined }]],
    ['names that are paths', { 'a.b': { 'c\\.d': new Date(1), 'e\\': 1n, '\\\\.': undefined } }],
    ['names that prototypes have', JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":[1]},"toString":2}')],
    [
      'such names beside Dates',
      { constructor: 'Ferrari', at: new Date(1), within: { prototype: new Set([new Date(2)]) } },
    ],
    [
      'Dates as keys of a Map',
      new Map<unknown, unknown>([
        [new Date(1), 1n],
        [{ a: new Date(2) }, new Map([[1, undefined]])],
      ]),
    ],
    ['an object that looks like an entry', { json: { json: 1 }, meta: { values: { a: ['Date'] }, v: 1 } }],
    ['a RegExp', /a\/b\n/giu],
    ['a URL', new URL('https://example.com/a?b=c#d')],
    ['bytes', [Uint8Array.of(1, 255), Buffer.from('ü'), Float64Array.of(Number.NaN, -0, 1.5), BigInt64Array.of(-1n)]],
    ['part of some bytes', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
    ['an instance of a registered class', [new Money(1.5, new Date(1)), { money: new Money(-0, new Date(2)) }]],
    ['an Error', error],
  ])('comes back as it went in: %s', (_, value) => {
    // vitest takes a property named __proto__ for the prototype.
    expect(isDeepStrictEqual(roundTrip(value), value)).toBe(true);
  });

  it('has the text of an Error, its name and its trace', () => {
    const back = roundTrip(error) as Error;
    expect([back.name, back.message, back.stack]).toEqual([error.name, error.message, error.stack]);
    expect((back.cause as Error).message).toBe('why');
  });

  it('has two equal objects where there was one twice', () => {
    const twice = { at: new Date(1) };
    const [one, other] = roundTrip([twice, twice, new Set()]) as object[];
    expect(one).toEqual(twice);
    expect(other).toEqual(twice);
    expect(one).not.toBe(other);
  });

  it('is what superjson writes', async () => {
    const { SuperJSON } = await import('superjson');
    const rows = [{ id: '1', createdAt: new Date(1), metadata: { 'a.b': [new Date(2), null] } }];
    const superjson = new SuperJSON();
    expect(JSON.parse(serializer().serialize(rows))).toEqual(superjson.serialize(rows));
    expect(superjson.parse(serializer().serialize(rows))).toEqual(rows);
  });
});

describe('what would not come back', () => {
  const circle: unknown[] = [];
  circle.push({ circle });
  it.each<[string, string, unknown]>([
    ['a function', 'items.1.run', { items: [1, { run: () => 'content' }] }],
    ['a symbol', '', Symbol('content')],
    ['of the class Unknown', 'a.0.value', { a: new Map([['content', new Unknown()]]) }],
    ['a function', 'a.0.key.run', { a: new Map([[{ run: () => 'content' }, 1]]) }],
    ['of the class TypeError', 'cause', new Error('content', { cause: new TypeError('content') })],
    ['an object without a class', '', Object.assign(Object.create(new Money(1, new Date(1))) as object, { a: 1 })],
    ['an object without a class', 'a', { a: Object.create(null) }],
    ['an object that holds itself', '0.circle', circle],
    ['symbols among its properties', 'a', { a: { [Symbol('content')]: 1 } }],
    ['an array with gaps', 'a', { a: Array.from({ length: 2 }).fill(1, 1) && Object.assign([], { 1: 'content' }) }],
    ['properties of its own', '', Object.assign(new Map(), { content: 1 })],
    ['a Date that is no time', 'at', { at: new Date(Number.NaN) }],
    ['an Error with properties of its own', '', Object.assign(new Error('content'), { code: 'content' })],
    ['in the middle of a text', '', Object.assign(/a/g, { lastIndex: 1 })],
    ['of more than', '', 10n ** 20_000n],
    ['which is not registered', '', Promise.resolve('content')],
    ['which is not registered', 'a', { a: new (class Mine extends Uint8Array {})(1) }],
  ])('is refused, and where it is is told: %s at %s', (kind, path, value) => {
    const error = refusal(value);
    expect(error.message).toContain(kind);
    expect(error.path).toBe(path);
    expect(error.message).not.toContain('content');
  });

  it('is refused where it is too deep, before the stack is full', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(refusal(deep).message).toContain('levels deep');
  });

  it('is refused where it is too long to be read', () => {
    expect(refusal('a'.repeat(2 ** 26)).message).toContain('longer than');
    expect(() => serializer().deserialize(`{"json":"${'a'.repeat(2 ** 26)}"}`)).toThrow(ForeignEntryError);
  });

  it('can be as deep as it is allowed to be, and is read', () => {
    let deep: unknown = new Date(1);
    for (let level = 0; level < 100; level += 1) deep = level % 2 ? { constructor: deep } : new Map([[1, deep]]);
    expect(roundTrip(deep)).toEqual(deep);
  });
});

describe('a class', () => {
  it.each([
    ['of another identifier', Money, 'other'],
    ['of an identifier that another has', Unknown, 'money'],
    ['that extends an Error', class extends Error {}, 'error'],
    ['that extends a Map', class extends Map {}, 'map'],
    ['that extends bytes', class extends Uint8Array {}, 'bytes'],
    ['that is a Map', Map, 'map'],
    ['that everything extends', Object, 'object'],
    ['without an identifier', Unknown, ''],
  ])('is not registered: one %s', (_, constructor, identifier) => {
    expect(() => serializer().registerClass(constructor, identifier)).toThrow(TypeError);
  });

  it('may be registered twice alike', () => {
    const twice = serializer();
    twice.registerClass(Money, 'money');
    expect(twice.deserialize(twice.serialize(new Money(1, new Date(1))))).toBeInstanceOf(Money);
  });
});

describe('a text that was not written here', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['null', 'null'],
    ['no entry', '{"a":1}'],
    ['more than an entry', '{"json":1,"more":1}'],
    ['half an entry', '{"json":{"a":"conte'],
    ['a prototype', '{"json":{"__proto__":{"polluted":1}}}'],
    ['nested a million times', `{"json":${'['.repeat(1e6)}${']'.repeat(1e6)}}`],
    ['a deep tree of types', `{"json":[],"meta":{"v":1,"values":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}}`],
    ['paths of an older version', '{"json":{"a":"1"},"meta":{"values":{"a":["bigint"]}}}'],
    ['references', '{"json":{"a":{}},"meta":{"referentialEqualities":[["a"]],"v":1}}'],
    [
      'references beside types',
      '{"json":[1,null],"meta":{"values":{"1":["undefined"]},"referentialEqualities":{"0":["1"]},"v":1}}',
    ],
    ['types that are a text', withMeta({ a: '1' }, 'Date')],
    ['types of nothing', withMeta({ a: '1' }, null)],
    ['a path to a prototype', withMeta({}, { '__proto__.polluted': ['undefined'] })],
    ['a path to what all objects have', withMeta({}, { 'constructor.prototype.polluted': ['undefined'] })],
    ['a path to a method', withMeta({ a: 1 }, { 'a.toString': ['undefined'] })],
    ['a path past the end of a list', withMeta([], { 4294967294: ['undefined'] })],
    ['a path past the end of a list, and nothing there', withMeta([], { 4294967294: {} })],
    ['a path to the length of a list, and nothing there', withMeta([1], { length: {} })],
    [
      'a path into what is an instance by now',
      withMeta({ a: { at: null } }, { a: [['class', 'money']], 'a.at': ['undefined'] }),
    ],
    ['a path to the length of a list', withMeta([1], { length: ['undefined'] })],
    ['a path that is broken', withMeta({ a: null }, { 'a\\b': ['undefined'] })],
    ['a path into what is a Set by now', withMeta({ a: [1, 1, null] }, { a: ['set'], 'a.2': ['undefined'] })],
    ['an array of as many bytes as a number says', withMeta(2 ** 33, [['typed-array', 'Uint8Array']])],
    ['bytes of no type', withMeta('Float16Array:AAAA', [['custom', 'bytes']])],
    ['half a number', withMeta('Float64Array:AAAA', [['custom', 'bytes']])],
    ['a Date that is none', withMeta('content', ['Date'])],
    ['a bigint that takes long to read', withMeta('9'.repeat(1e6), ['bigint'])],
    ['a Map of no pairs', withMeta([[1]], ['map'])],
    ['a RegExp that is none', withMeta('/(/', ['regexp'])],
    ['a URL that is none', withMeta('content', ['URL'])],
    ['a class that is not registered', withMeta({}, [['class', 'Unknown']])],
    ['a class that is a text', withMeta('content', [['class', 'money']])],
    ['a type that nobody knows', withMeta('1', ['toString'])],
    ['a way to write that nobody knows', withMeta('1', [['custom', 'constructor']])],
    ['a type with more to it', withMeta(null, ['undefined', {}, 1])],
  ])('is refused, and shows nothing of itself: %s', (_, text) => {
    const read = () => serializer().deserialize(text);
    expect(read).toThrow(ForeignEntryError);
    expect(read).not.toThrow(/conte/);
    expect('polluted' in {}).toBe(false);
  });

  it('is refused or is a value, whatever has become of it on the way', () => {
    const names = Object.getOwnPropertyNames(Object.prototype);
    const reader = serializer();
    const piece = oneof(
      string({ maxLength: 4 }),
      constantFrom(
        '__proto__',
        'constructor',
        'prototype',
        '["Date"]',
        '["undefined"]',
        '4294967294',
        '"',
        '{',
        ']',
        '\\',
      ),
    );
    const cut = record({ at: double({ min: 0, max: 1, noNaN: true }), length: nat(6), piece });
    let refused = 0;
    assert(
      property(plainData(), array(cut, { minLength: 1, maxLength: 3 }), (value, cuts) => {
        let text = reader.serialize(value);
        for (const { at, length, piece: inserted } of cuts) {
          const start = Math.floor(at * text.length);
          text = text.slice(0, start) + inserted + text.slice(start + length);
        }
        try {
          reader.deserialize(text);
        } catch (error) {
          refused += 1;
          expect(error).toBeInstanceOf(ForeignEntryError);
        }
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(names);
      }),
      { numRuns: 10_000 },
    );
    expect(refused).toBeGreaterThan(1_000);
    expect(refused).toBeLessThan(10_000);
  });
});
