import * as fc from 'fast-check';
import { EXTERNAL_ID_MAX, JSON_DEPTH_MAX, JSON_SIZE_MAX } from '../../../src/entities/rules.js';
import type { PropertyRule } from './rules-of.js';

type Bad = (...constraints: readonly never[]) => fc.Arbitrary<unknown>;

const noText = fc.oneof(fc.integer(), fc.boolean(), fc.constant({}), fc.array(fc.string(), { maxLength: 2 }));
const noNumber = fc.oneof(fc.string(), fc.boolean(), fc.constant({}), fc.bigInt(), fc.constant(Number.NaN));
const LONE = fc.constantFrom('\ud800', '\udbff', '\udc00', '\udfff', '\ude00\ud83d');
const around = (middle: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(ordinary(), middle, ordinary()).map((parts) => parts.join(''));
const unstorable = around(fc.oneof(fc.constant('\0'), LONE));

function ordinary(): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom('a', 'Z', '7', ' ', 'é', '退', '😀'), maxLength: 5 });
}

/** Long strings are made once: most of a run would be spent on them otherwise. */
const long = new Map<number, string>();
function longerThan(max: number): string {
  const text = long.get(max) ?? 'x'.repeat(max + 1);
  long.set(max, text);
  return text;
}

function nested(levels: number): unknown {
  return levels === 1 ? {} : { in: nested(levels - 1) };
}

const tooLarge = { text: longerThan(JSON_SIZE_MAX) };
const noJson = fc.oneof(
  fc.constantFrom<unknown>(Number.NaN, Infinity, -Infinity, 1n, Symbol('x'), new Date(0), new Map(), /x/),
  unstorable,
  fc.constant(() => 1),
  fc.constant(nested(JSON_DEPTH_MAX)),
  fc.constant(tooLarge),
  fc.dictionary(unstorable, fc.integer(), { minKeys: 1, maxKeys: 2 }),
);

/** By the name of a rule: values that break it, whatever other rules they break beside. */
const BAD: Readonly<Record<string, Bad>> = {
  isText: (min: number, max: number) =>
    fc.oneof(noText, unstorable, fc.constant(min > 0 ? '' : longerThan(max)), fc.constant(longerThan(max))),
  isSlug: () =>
    fc.oneof(
      noText,
      fc.constantFrom('', '-', 'a-', '-a', 'a--b', 'a_b', 'a.b', 'a\n', longerThan(63)),
      around(fc.constantFrom('A', 'é', ' ', '退')),
    ),
  isExternalId: () =>
    fc.oneof(
      noText,
      around(LONE),
      around(fc.integer({ min: 0, max: 31 }).map((code) => `-${String.fromCharCode(code)}-`)),
      around(fc.constantFrom('\u007f', '\0')),
      ordinary().chain((text) => fc.constantFrom(` ${text}`, `${text}\u00a0`, `\ufeff${text}`, `${text}\n`)),
      fc.constantFrom('', longerThan(EXTERNAL_ID_MAX)),
    ),
  isUuid: () =>
    fc.oneof(
      noText,
      fc.uuid({ version: 4 }),
      fc.uuid({ version: 7 }).map((id) => id.replace(/.$/, 'A')),
      ordinary(),
    ),
  isJsonObject: () =>
    fc.oneof(
      fc.constantFrom<unknown>([], 'text', 1, true, new Date(0), new Set()),
      noJson.map((value) => ({ ok: 1, value })),
      noJson.map((value) => ({ deep: { list: [null, value] } })),
    ),
  isJsonArray: () =>
    fc.oneof(
      fc.constantFrom<unknown>({}, 'text', 1, true, new Date(0), [undefined], Array.from({ length: 2 })),
      noJson.map((value) => ['x', value]),
    ),
  isHash: () => fc.oneof(noText, fc.constantFrom('', 'g'.repeat(64), 'F'.repeat(64), 'f'.repeat(63), 'f'.repeat(65))),
  isPrefix: () =>
    fc.oneof(noText, fc.constantFrom('', 'ABCDEFGHIJKL', '0123456789a', '0123456789abc', '0123456789a\n')),
  areScopes: () =>
    fc.oneof(
      fc.constantFrom<unknown>('messages:write', {}, 1),
      fc
        .oneof(noText, fc.constantFrom('', 'Users', '1a', 'a b', 'a*', longerThan(64)))
        .map((scope) => ['users:read', scope]),
    ),
  isArray: () => fc.constantFrom<unknown>('messages:write', {}, 1, true),
  arrayMaxSize: (max: number) =>
    fc
      .integer({ min: 1, max: 50 })
      .map((more) => Array.from({ length: max + more }, (_unused, index) => `s${String(index)}`)),
  arrayUnique: () => fc.constantFrom(['a', 'a'], ['users:read', 'users:write', 'users:read']),
  isMediaType: () =>
    fc.oneof(
      noText,
      fc.constantFrom('', 'text', 'text/', '/plain', 'text/plain; charset=utf-8', 'a b/c', `text/${longerThan(63)}`),
      around(fc.constant('\0')),
    ),
  isEmail: () =>
    fc.oneof(
      noText,
      ordinary(),
      fc.constantFrom('ada@', '@example.com', 'a@b', 'a b@example.com', 'a@@example.com', `a@${longerThan(260)}.com`),
      around(LONE).map((text) => `a@${text}.com`),
    ),
  isQuota: () =>
    fc.oneof(
      fc.constantFrom<unknown>('users', 1, { users: null }, { nobody: 1 }, { users: '1' }, { users: 2 ** 53 }),
      fc
        .oneof(fc.integer({ max: -1 }), fc.double({ min: 0.1, max: 0.9 }))
        .map((limit) => ({ conversations: 1, users: limit })),
    ),
  isPhone: () =>
    fc.oneof(
      noText,
      ordinary(),
      fc.constantFrom(
        '14155550123',
        '+0123456789',
        '+1234567',
        '+1234567890123456',
        '+1 415 555 0123',
        '+14155550123\n',
      ),
    ),
  isDay: () =>
    fc.oneof(
      noText,
      ordinary(),
      fc.constantFrom(
        '2026-02-30',
        '2025-02-29',
        '2026-13-01',
        '2026-00-01',
        '2026-1-1',
        '2026-01-01T00:00:00Z',
        '20260101',
      ),
    ),
  isInstant: () =>
    fc.constantFrom<unknown>(
      new Date(Number.NaN),
      new Date('0000-12-31T23:59:59.999Z'),
      new Date('+010000-01-01T00:00:00Z'),
      new Date(8.64e15),
      'tomorrow',
    ),
  isNotBefore: () => fc.date({ min: new Date('1000-01-01'), max: new Date('2025-12-31'), noInvalidDate: true }),
  hasContent: () => fc.constant(''),
  isIn: (values: readonly string[]) =>
    fc.oneof(
      noText,
      ordinary(),
      fc.constantFrom(...values).chain((value) => fc.constantFrom(`${value} `, value.toUpperCase(), `${value}\0`)),
    ),
  isInt: () =>
    fc.oneof(
      noNumber,
      fc.double({ min: 0.1, max: 1e9, noNaN: true }).filter((number) => !Number.isInteger(number)),
      fc.constantFrom(Infinity),
    ),
  isNumber: () => fc.oneof(noNumber, fc.constantFrom(Infinity, -Infinity)),
  min: (min: number) => fc.oneof(fc.integer({ min: -1e9, max: min - 1 }), fc.constantFrom(-Number.MAX_SAFE_INTEGER)),
  max: (max: number) => fc.constantFrom(...[max + 1, max * 2, 1e21, Number.MAX_VALUE].filter((number) => number > max)),
  version: () => fc.oneof(fc.constantFrom<unknown>(0, -1, 1.5, 2 ** 53, null), fc.string()),
  isMoney: () =>
    fc.oneof(
      noText,
      around(fc.constantFrom('a', ' ', '-')),
      fc.constantFrom('', '-1', '+1', '.5', '5.', '1.1234567', '1234567890', '1e3', '1,5', 'NaN', '1\n'),
    ),
};

/** Values that break a rule. @throws Error for a rule that nothing is known to break: it is to be added above. */
export function badValues({ rule, constraints, isOptional }: PropertyRule): fc.Arbitrary<unknown> {
  const bad = BAD[rule] as ((...given: readonly unknown[]) => fc.Arbitrary<unknown>) | undefined;
  if (!bad) throw new Error(`No value is known that breaks ${rule}.`);
  const values = bad(...constraints);
  // What a rule compares, or only asks of some values, says nothing of null.
  const takesNull = isOptional || ['isNotBefore', 'hasContent', 'version'].includes(rule);
  return takesNull ? values : fc.oneof({ arbitrary: values, weight: 9 }, { arbitrary: fc.constant(null), weight: 1 });
}
