import { inspect, isDeepStrictEqual } from 'node:util';
import { assert, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyOf, freezeDeep, sizeOf } from '../../src/cache/plain-data.js';
import { plainData } from './support/plain-data.js';

class Money {
  constructor(
    readonly amount: number,
    readonly at: Date,
  ) {}
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const shown = (value: unknown): string => inspect(value, { depth: Infinity, maxArrayLength: Infinity });

/** Whether it has something inside that cannot be frozen. */
const isOpen = (object: object): boolean =>
  [Date, Map, Set].some((type) => object instanceof type) || ArrayBuffer.isView(object);

/** Every object that a value holds, and itself. */
function objectsOf(value: unknown): Set<object> {
  const found = new Set<object>();
  const visit = (inner: unknown): void => {
    if (!isObject(inner) || found.has(inner)) return;
    found.add(inner);
    if (inner instanceof Map) [...inner].flat().forEach(visit);
    else if (inner instanceof Set) [...inner].forEach(visit);
    else if (!ArrayBuffer.isView(inner)) Object.values(inner).forEach(visit);
  };
  visit(value);
  return found;
}

/** The objects that two values both hold. */
function sharedBy(one: unknown, other: unknown): object[] {
  const objects = objectsOf(one);
  return [...objectsOf(other)].filter((object) => objects.has(object));
}

/** Changes whatever in a value can be changed. */
function spoil(value: unknown): void {
  for (const object of objectsOf(value)) {
    if (object instanceof Date) object.setTime(object.getTime() + 1);
    else if (object instanceof Map) object.set('spoilt', true);
    else if (object instanceof Set) object.add('spoilt');
    else if (ArrayBuffer.isView(object)) (object as Uint8Array).fill(77);
    else Object.assign(object, { spoilt: true });
  }
}

const OTHERS: readonly [string, () => unknown][] = [
  ['an instance of a class', () => ({ price: new Money(1, new Date(1)) })],
  ['an object without a prototype', () => Object.assign(Object.create(null) as object, { at: new Date(1) })],
  ['a property named __proto__', () => JSON.parse('{"__proto__":{"a":[1]}}')],
  ['a Buffer', () => ({ bytes: Buffer.from('abc') })],
  ['a part of some bytes', () => Float64Array.of(1, 2, 3).subarray(1)],
  ['a DataView', () => new DataView(new ArrayBuffer(2))],
  ['a URL and a RegExp', () => [new URL('https://example.com/a'), /a/g]],
  ['an Error', () => new Error('broken', { cause: new Error('why') })],
  ['an Error of a class', () => Object.assign(new TypeError('broken'), { code: 7, at: new Date(1) })],
  ['an array with a gap', () => Object.assign([], { 1: {} })],
];

describe('a copy', () => {
  it('is equal and shares nothing, whatever data it is of', () => {
    assert(
      property(plainData(), (value) => {
        const copy = copyOf(value);
        expect(isDeepStrictEqual(copy, value)).toBe(true);
        expect(sharedBy(copy, value)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('and its original change each without the other', () => {
    assert(
      property(plainData(), (value) => {
        const [first, second, before] = [copyOf(value), copyOf(value), shown(value)];
        spoil(first);
        expect(shown(value)).toBe(before);
        spoil(value);
        expect(shown(second)).toBe(before);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of what is frozen can be changed', () => {
    const copy = copyOf(freezeDeep({ list: [{ at: new Date(1) }] }));
    copy.list.push({ at: new Date(2) });
    const [first] = copy.list;
    if (first) first.at = new Date(3);
    expect(copy).toEqual({ list: [{ at: new Date(3) }, { at: new Date(2) }] });
  });

  it.each(OTHERS)('is equal and shares nothing: %s', (_, make) => {
    const value = make();
    const copy = copyOf(value);
    expect(isDeepStrictEqual(copy, value)).toBe(true);
    expect(sharedBy(copy, value)).toEqual([]);
    if (ArrayBuffer.isView(value)) expect((copy as typeof value).buffer).not.toBe(value.buffer);
  });

  it('of bytes is one of its own, also of a Buffer', () => {
    const value = Buffer.from('abc');
    const copy = copyOf(value);
    value.fill(0);
    expect(copy.toString()).toBe('abc');
    expect(Buffer.isBuffer(copy)).toBe(true);
  });

  it('is not made of what is no data', () => {
    expect(() => copyOf({ a: Promise.resolve() })).toThrow(TypeError);
    expect(() => copyOf([new WeakMap()])).toThrow(TypeError);
    expect(() => copyOf(new (class extends RegExp {})('a'))).toThrow(TypeError);
  });

  it('of an Error is of its class and has its trace', () => {
    const error = new (class Trouble extends RangeError {})('broken');
    const copy = copyOf(error);
    expect(copy).toBeInstanceOf(error.constructor);
    expect([copy.message, copy.stack]).toEqual(['broken', error.stack]);
  });

  it('of what holds itself fails, and does not hang', () => {
    const circle: unknown[] = [];
    circle.push(circle, circle);
    expect(() => copyOf(circle)).toThrow(RangeError);
  });
});

describe('what is frozen', () => {
  it('is the value itself, and so is all that it holds, whatever data it is', () => {
    assert(
      property(plainData(), (value) => {
        const copy = copyOf(value);
        expect(Object.is(freezeDeep(value), value)).toBe(true);
        expect([...objectsOf(value)].filter((object) => !isOpen(object) && !Object.isFrozen(object))).toEqual([]);
        expect(isDeepStrictEqual(value, copy)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is frozen also below what was', () => {
    const inner = { list: [1] };
    freezeDeep([Object.freeze({ inner })]);
    expect(Object.isFrozen(inner.list)).toBe(true);
  });

  it('may hold itself', () => {
    const circle: unknown[] = [];
    circle.push({ circle }, new Map([[circle, circle]]), new Set([circle]));
    const map = new Map<unknown, unknown>();
    map.set(map, map);
    expect(Object.isFrozen(freezeDeep(freezeDeep(circle)))).toBe(true);
    expect(freezeDeep(map)).toBe(map);
  });

  it.each(OTHERS)('does not fail on %s', (_, make) => {
    const value = make();
    expect(freezeDeep(value)).toBe(value);
    expect(isDeepStrictEqual(value, make())).toBe(true);
  });
});

describe('the size of a value', () => {
  it('grows with what it holds', () => {
    assert(
      property(plainData(), (value) => {
        const size = sizeOf(value);
        expect(size).toBeGreaterThan(0);
        expect(sizeOf([value, 'more'])).toBeGreaterThan(size);
      }),
    );
  });

  it('is that of the characters and bytes, about', () => {
    expect(sizeOf('a'.repeat(10_000))).toBeCloseTo(10_000, -3);
    expect(sizeOf('漢'.repeat(10_000))).toBeCloseTo(20_000, -3);
    expect(sizeOf(new Uint8Array(10_000))).toBeCloseTo(10_000, -3);
    expect(sizeOf(10n ** 10_000n)).toBeGreaterThan(4_000);
  });

  it('has once what it holds twice', () => {
    const text = { text: 'a'.repeat(10_000) };
    expect(sizeOf([text, text])).toBeLessThan(11_000);
  });

  it('of what holds itself is a number', () => {
    const circle: unknown[] = [];
    circle.push(circle, new Map([[circle, { circle }]]), new Set([circle]));
    expect(sizeOf(circle)).toBeLessThan(1_000);
  });

  it('of what is nested deeply is a number', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(sizeOf(deep)).toBeGreaterThan(100_000);
  });
});
