import { assert, constantFrom, dictionary, jsonValue, oneof, property, array, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../src/json.js';

/** Names that JSON writes with a backslash, and those that look like the beginning of one. */
const AWKWARD = ['\\', '"', '\n', '\t', '\u0001', '\\n', '\\u', '\\u0', '\nx', '"x', '__proto__', '0', 'n0', ''];
const name = oneof(constantFrom(...AWKWARD), string({ unit: 'binary', maxLength: 3 }));
const values = dictionary(name, oneof(jsonValue({ maxDepth: 2 }), dictionary(name, jsonValue({ maxDepth: 1 }))));

/** A text of a value that names properties as they are, made without a parser. */
function textOf(value: unknown, space?: number): string {
  return JSON.stringify(value, undefined, space);
}

describe('JSON', () => {
  it.each(AWKWARD.map((first) => [JSON.stringify(first), first] as const))(
    'keeps names that come after %s at the same place',
    (_text, first) => {
      for (const [index, second] of AWKWARD.entries()) {
        const place = `${first} before ${String(index)}`;
        for (const last of [first, second]) {
          const value = { [place]: 0, [last]: { [place]: 0, [last]: 1 } };
          const given = Object.fromEntries(Object.entries(value));
          expect(textOf(parseJson(textOf(given)))).toBe(textOf(given));
        }
      }
    },
  );

  it('comes back as it was, whatever was read before, and however it is written', () => {
    assert(
      property(array(values, { minLength: 1, maxLength: 8 }), constantFrom(undefined, 2), (given, space) => {
        for (const value of given) {
          const text = textOf(value, space);
          expect(textOf(parseJson(text), space)).toBe(text);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has the last value of a name that comes twice, in whichever spelling', () => {
    expect(textOf(parseJson(String.raw`{"a":1,"\u0061":2,"b\n":3,"b\u000a":4}`))).toBe(String.raw`{"a":2,"b\n":4}`);
    expect(textOf(parseJson(String.raw`{"b":1,"\u0032":{"\"":[]},"1":3}`))).toBe(
      String.raw`{"1":3,"2":{"\"":[]},"b":1}`,
    );
  });

  it('keeps a name that is the prototype’s', () => {
    const value = parseJson(String.raw`{"\u005f_proto__":{"\n":{"__proto__":1}}}`) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(textOf(value)).toBe(String.raw`{"__proto__":{"\n":{"__proto__":1}}}`);
  });

  it('may be nested more deeply than calls, and long', () => {
    const depth = 50_000;
    const text = `${String.raw`{"\n":[`.repeat(depth)}${']}'.repeat(depth)}`;
    let levels = 0;
    for (let inner = parseJson(text) as { '\n': [never] } | undefined; inner; inner = inner['\n'][0]) levels += 1;
    expect(levels).toBe(depth);
    const long = textOf({ '\n': String.raw`\"`.repeat(2_000_000) });
    expect(textOf(parseJson(long)) === long).toBe(true);
  });

  it('that is none is refused', () => {
    for (const text of ['', '{"\\"', '{"a\\":1}', '{"\\x":1}', "{'\\n':1}", '{"\\n" 1}']) {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    }
  });
});
