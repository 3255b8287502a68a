import { array, assert, json, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedJson } from '../src/repositories/repeated-json.js';

const read = (): ((text: unknown) => unknown) => repeatedJson((text) => JSON.parse(text as string) as unknown);

describe('JSON that is read again and again', () => {
  it('is what the parser makes of it, whatever was read before', () => {
    const texts = array(json({ maxDepth: 4 }), { minLength: 1, maxLength: 8 });
    assert(
      property(texts, array(nat(), { maxLength: 40 }), (known, order) => {
        const parse = read();
        for (const index of order) {
          const text = known[index % known.length] ?? 'null';
          expect(parse(text)).toStrictEqual(JSON.parse(text));
        }
      }),
    );
  });

  it('belongs to each row alone', () => {
    const parse = read();
    const rows = Array.from({ length: 5 }, () => parse('{"a":{"b":[{"c":1}]}}') as { a: { b: { c: number }[] } });
    for (const row of rows) {
      expect(row).toStrictEqual({ a: { b: [{ c: 1 }] } });
      Object.assign(row.a.b[0] as object, { c: 2 });
      row.a.b.push({ c: 3 });
      Object.assign(row.a, { d: 4 });
    }
  });

  it('keeps a key that is the name of the prototype', () => {
    const parse = read();
    for (let again = 0; again < 4; again += 1) {
      const value = parse('{"__proto__":{"isAdmin":true,"__proto__":{"x":1}}}') as object;
      expect(Object.keys(value)).toEqual(['__proto__']);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(JSON.stringify(value)).toBe('{"__proto__":{"isAdmin":true,"__proto__":{"x":1}}}');
    }
  });
});
