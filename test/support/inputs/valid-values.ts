import * as fc from 'fast-check';
import { EXTERNAL_ID_MAX } from '../../../src/entities/rules.js';
import { type AnyEntity, type PropertyRule, rulesOf } from './rules-of.js';

/** Any character that is legal, and often one that is awkward. */
const character = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '\u2028',
      '\u0085',
      '\ufeff',
      '\ufffe',
      '\uffff',
      '\u0001',
      '\u007f',
      '\r\n',
      '\t',
      ' ',
      '\u00a0',
      'é',
      'e\u0301',
      '😀',
      '👩‍💻',
      '\u{10ffff}',
      '退',
      'ﬃ',
      'İ',
      'ß',
      '"',
      "'",
      '\\',
      '%',
      '_',
      '?',
      '$1',
      ':a',
      '`',
      ';--',
      '\u202e',
      'א',
    ),
  },
);

function withoutNul(given: string): string {
  return given.toWellFormed().replaceAll('\0', '0');
}

/** Text of the length in UTF-16 code units, now and then of the least or the greatest. */
function text(min: number, max: number): fc.Arbitrary<string> {
  const short = fc.array(character, { minLength: Math.min(min, 20), maxLength: Math.min(max, 20) });
  const most = fc.constantFrom('x', '退', '\n', 'é').map((unit) => unit.repeat(Math.min(max, 2_000)));
  const least = fc.constant('y'.repeat(min));
  return fc
    .oneof(
      { weight: 20, arbitrary: short.map((units) => withoutNul(units.join('')).slice(0, max).toWellFormed()) },
      { weight: 1, arbitrary: most },
      { weight: 1, arbitrary: least },
    )
    .filter((made) => made.length >= min && made.length <= max);
}

// eslint-disable-next-line no-control-regex -- they are what a key must not have
const key = text(1, EXTERNAL_ID_MAX).map((made) => made.replaceAll(/[\u0000-\u001f\u007f]/g, '-').trim() || 'k');

/** JSON that comes back as it was: JSON has no -0 and nothing that is undefined. */
const json = fc.oneof(
  { weight: 9, arbitrary: fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      2 ** 53 + 2,
      -1e-7,
      1e21,
      0.1,
      [[[[]]]],
      null,
    ),
  },
);
const cleanJson = json.map((value) => clean(value));

function clean(value: unknown): unknown {
  if (typeof value === 'string') return withoutNul(value);
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [withoutNul(name), clean(item)]));
}

const jsonObject = fc
  .dictionary(
    fc.oneof(text(0, 10), fc.constantFrom('__proto__', 'constructor', 'toString', '0', 'length')),
    cleanJson,
    {
      maxKeys: 4,
    },
  )
  .map((made) => clean(made) as Record<string, unknown>);

const instant = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        '0001-01-01T00:00:00Z',
        '9999-12-31T23:59:59.999Z',
        '1970-01-01T00:00:00Z',
        '1969-12-31T23:59:59.999Z',
      )
      .map((said) => new Date(said)),
  },
);

const scope = fc.stringMatching(/^[a-z][a-z0-9_.:-]{0,63}$/);
const digits = (max: number) => fc.integer({ min: 0, max: 10 ** max - 1 });

type Valid = (...constraints: readonly never[]) => fc.Arbitrary<unknown>;

/** By the rule that says most of a property: values that it takes. */
const VALID: Readonly<Record<string, Valid>> = {
  isText: (min: number, max: number) => text(min, max),
  isSlug: () => fc.stringMatching(/^[a-z0-9]{1,10}(?:-[a-z0-9]{1,10}){0,4}$/),
  isExternalId: () => key,
  isJsonObject: () => jsonObject,
  isQuota: (names: readonly string[]) =>
    fc
      .dictionary(fc.constantFrom(...names), fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER)))
      .map((made) => ({ ...made })),
  isJsonArray: () => fc.array(cleanJson, { maxLength: 4 }),
  isHash: () => fc.stringMatching(/^[0-9a-f]{64}$/),
  isPrefix: () => fc.stringMatching(/^[0-9a-z]{12}$/),
  areScopes: () => fc.uniqueArray(scope, { maxLength: 64 }),
  isMediaType: () => fc.stringMatching(/^[\w.+-]{1,63}\/[\w.+-]{1,63}$/),
  isEmail: () => fc.emailAddress(),
  isPhone: () => fc.stringMatching(/^\+[1-9]\d{7,14}$/),
  isDay: () => instant.map((date) => date.toISOString().slice(0, 10)),
  isInstant: () => instant,
  isIn: (values: readonly string[]) => fc.constantFrom(...values),
  isInt: () => fc.oneof(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.constant(1)),
  isNumber: () =>
    fc.oneof(
      fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
      fc.constantFrom(0, Number.MAX_VALUE, Number.MIN_VALUE, 0.1),
    ),
  isMoney: () =>
    fc.oneof(
      fc.tuple(digits(9), digits(6)).map(([whole, part]) => `${String(whole)}.${String(part).padStart(6, '0')}`),
      fc.constantFrom('0', '999999999.999999', '0.000001', '1'),
    ),
};

/** Rules that limit what another rule says. */
const LIMITS = new Set([
  'min',
  'max',
  'arrayMaxSize',
  'arrayUnique',
  'isArray',
  'isNotBefore',
  'hasContent',
  'version',
]);
/** Counters that the library keeps by itself, ids, and the time of a change. */
const KEPT = new Set(['id', 'createdAt', 'updatedAt', 'version', 'seq', 'messageCount']);

/** Values for all properties of an entity that have rules and that a program may set. */
export function validValues(entity: AnyEntity): fc.Arbitrary<Record<string, unknown>> {
  const rules = rulesOf(entity).filter(({ rule, property }) => !LIMITS.has(rule) && !KEPT.has(property));
  const saysMost = ({ property, rule }: PropertyRule): boolean =>
    rule === 'isQuota' || !rules.some((other) => other.property === property && other.rule === 'isQuota');
  const values = rules.filter(saysMost).map(({ property, rule, constraints, isOptional }) => {
    const valid = VALID[rule] as ((...given: readonly unknown[]) => fc.Arbitrary<unknown>) | undefined;
    if (!valid) throw new Error(`No value is known that ${rule} takes.`);
    const { constraints: [max] = [] } =
      rulesOf(entity).find((other) => other.property === property && other.rule === 'max') ?? {};
    const made = valid(...constraints);
    const extreme =
      rule === 'isInt'
        ? fc.oneof({ weight: 9, arbitrary: made }, { weight: 1, arbitrary: fc.constantFrom<unknown>(0, max) })
        : made;
    return [property, isOptional ? fc.option(extreme, { nil: null, freq: 3 }) : extreme] as const;
  });
  return fc.record(Object.fromEntries(values));
}
