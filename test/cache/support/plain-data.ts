import {
  array,
  bigInt,
  boolean,
  constantFrom,
  date,
  double,
  float64Array,
  integer,
  letrec,
  oneof,
  string,
  tuple,
  uint8Array,
  type Arbitrary,
} from 'fast-check';

const NAMES = oneof(
  string({ maxLength: 5 }),
  constantFrom(
    'id',
    'createdAt',
    'a.b',
    '\\',
    '',
    '0',
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'json',
    'meta',
  ),
);

const LEAVES: Arbitrary<unknown>[] = [
  string({ unit: 'binary', maxLength: 10 }),
  integer(),
  double(),
  boolean(),
  constantFrom(null, undefined, -0, Number.NaN, Number.POSITIVE_INFINITY),
  bigInt(),
  date({ noInvalidDate: true }),
  uint8Array({ maxLength: 5 }),
  float64Array({ maxLength: 3 }),
];

/** Whatever the cache may be given: JSON's own, Dates, undefined, numbers that JSON lacks, bigints, bytes, Maps and Sets. */
export function plainData(): Arbitrary<unknown> {
  const { value } = letrec<{ value: unknown }>((tie) => ({
    value: oneof(
      { maxDepth: 4, withCrossShrink: true },
      ...LEAVES,
      array(tie('value'), { maxLength: 5 }),
      array(tuple(NAMES, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
      array(tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
      array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
    ),
  }));
  return value;
}
