import { describe, expect, it } from 'vitest';
import { RuleSet } from '../../src/entities/rule-book.js';
import {
  EXTERNAL_ID_MAX,
  HasContent,
  IsDay,
  IsExternalId,
  IsId,
  IsInstant,
  IsJsonArray,
  IsJsonObject,
  IsLanguageTag,
  IsMoney,
  IsNotBefore,
  IsPhone,
  IsSlug,
  IsText,
  JSON_DEPTH_MAX,
  JSON_SIZE_MAX,
} from '../../src/entities/rules.js';

class Sample {
  @IsText({ max: 3 })
  text: unknown = 'abc';

  @IsText({ min: 0, max: 3 })
  optionalText: unknown = '';

  @IsSlug()
  slug: unknown = 'a';

  @IsExternalId()
  externalId: unknown = 'a';

  @IsJsonObject()
  object: unknown = {};

  @IsJsonArray()
  array: unknown = [];

  @IsPhone()
  phone: unknown = '+14155550123';

  @IsDay()
  day: unknown = '2026-01-01';

  @IsInstant()
  instant: unknown = new Date(0);

  @IsInstant()
  begin: unknown = new Date(1000);

  @IsNotBefore('begin')
  end: unknown = null;

  @HasContent()
  content: unknown = 'x';

  modality: unknown = 'text';

  parts: unknown = null;

  @IsMoney()
  money: unknown = '0';

  @IsLanguageTag()
  language: unknown = 'en';

  @IsId()
  id: unknown = '019b796d-d600-7a00-821f-ecbc97cc4b34';
}

const rules = new RuleSet(Sample);

function nested(levels: number): unknown {
  return levels === 1 ? {} : { in: nested(levels - 1) };
}

const instantOf = (text: string): Date => new Date(text);
/** The size that JSON text of an object with one text has, beyond that text. */
const FRAME = '{"a":""}'.length;

const EDGES: Readonly<Record<string, { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }>> = {
  text: {
    good: ['a', 'abc', ' ', '\n', '😀a', '退款'],
    bad: ['', 'abcd', '😀😀', '\0', 'a\0b', '\ud83d', '\ude00\ud83d', 1, null, undefined, {}, ['a'], new String('a')],
  },
  optionalText: { good: ['', 'abc'], bad: ['abcd', null, undefined, '\0'] },
  slug: {
    good: ['a', '0', 'a-b', 'a1-2b-c', 'x'.repeat(63)],
    bad: ['', '-', '-a', 'a-', 'a--b', 'A', 'ä', 'a b', 'a.b', 'a_b', 'a\n', 'x'.repeat(64), 7, null, ['a']],
  },
  externalId: {
    good: ['a', 'a b', 'A:1/é%_', '退款', '😀', 'x'.repeat(EXTERNAL_ID_MAX)],
    bad: [
      '',
      ' a',
      'a ',
      'a\u00a0',
      '\ufeffa',
      'a\tb',
      'a\nb',
      'a\0b',
      '\u007f',
      '\ud83d',
      'x'.repeat(EXTERNAL_ID_MAX + 1),
      1,
      null,
      {},
    ],
  },
  object: {
    good: [
      {},
      { a: null, b: [1, 'x', true, { c: 1.5 }], d: undefined },
      Object.create(null),
      nested(JSON_DEPTH_MAX),
      { a: 'x'.repeat(JSON_SIZE_MAX - FRAME) },
      { a: 'é'.repeat(JSON_SIZE_MAX / 2 - FRAME / 2) },
      JSON.parse('{"__proto__":{"a":1}}'),
    ],
    bad: [
      null,
      undefined,
      [],
      'text',
      1,
      new Date(0),
      new Map(),
      new Sample(),
      { a: Number.NaN },
      { a: Infinity },
      { a: 1n },
      { a: () => 1 },
      { toJSON: () => 'x' },
      { a: Symbol('x') },
      { a: new Date(0) },
      { a: '\0' },
      { a: '\ud83d' },
      { '\0': 1 },
      { '\ud83d': 1 },
      [{}],
      nested(JSON_DEPTH_MAX + 1),
      { a: 'x'.repeat(JSON_SIZE_MAX - FRAME + 1) },
      { a: 'é'.repeat(JSON_SIZE_MAX / 2) },
      { a: Object.assign([1], { toJSON: () => 'x' }) },
      { a: Object.assign([], { length: 2 }) },
      cyclic(),
      doubled(30),
    ],
  },
  array: {
    good: [[], [1, 'x', null, {}], [[]]],
    bad: [null, {}, 'x', [undefined], [Number.NaN], [new Date(0)], new Set()],
  },
  phone: {
    good: ['+14155550123', '+12345678', '+123456789012345'],
    bad: [
      '',
      '14155550123',
      '+0123456789',
      '+1234567',
      '+1234567890123456',
      '+1 415 555 0123',
      '+1415555012x',
      '+14155550123\n',
      1,
    ],
  },
  day: {
    good: ['2026-01-01', '2024-02-29', '0001-01-01', '9999-12-31'],
    bad: [
      '2026-02-29',
      '2026-02-30',
      '2026-13-01',
      '2026-00-10',
      '2026-1-1',
      '20260101',
      '2026-01-01T00:00:00Z',
      ' 2026-01-01',
      '',
      1,
      null,
      new Date(0),
    ],
  },
  instant: {
    good: [new Date(0), instantOf('0001-01-01T00:00:00Z'), instantOf('9999-12-31T23:59:59.999Z')],
    bad: [
      instantOf('0000-12-31T23:59:59.999Z'),
      instantOf('+010000-01-01T00:00:00Z'),
      new Date(Number.NaN),
      0,
      '2026-01-01',
      null,
      undefined,
    ],
  },
  end: {
    good: [null, undefined, 'not judged here', new Date(1000), new Date(1001)],
    bad: [new Date(999), new Date(-1)],
  },
  content: { good: ['x', ' ', null, undefined], bad: [''] },
  language: {
    good: [
      'en',
      'zh-Hans',
      'zh-yue-HK',
      'de-CH-1996',
      'sl-rozaj-biske',
      'en-a-bbb-x-a',
      'x-whatever',
      'i-klingon',
      'EN-us',
    ],
    bad: [
      '',
      'e',
      'en_US',
      'en-',
      '-en',
      'en--US',
      'en-US-',
      'zh Hans',
      'en-u',
      '12',
      'abcdefghi',
      'en\n',
      7,
      null,
      ['en'],
    ],
  },
  id: {
    good: ['019b796d-d600-7a00-821f-ecbc97cc4b34'],
    bad: [
      '',
      '019B796D-D600-7A00-821F-ECBC97CC4B34',
      '019b796d-d600-4a00-821f-ecbc97cc4b34',
      '019b796d-d600-7a00-c21f-ecbc97cc4b34',
      '019b796dd6007a00821fecbc97cc4b34',
      '019b796d-d600-7a00-821f-ecbc97cc4b34\n',
      7,
      null,
    ],
  },
  money: {
    good: ['0', '0.1', '12.123456', '999999999.999999', '00.10'],
    bad: ['', '-1', '+1', '.5', '5.', '1.1234567', '1234567890', '1e3', '1,5', ' 1', '1 ', 'NaN', 1, null],
  },
};

function cyclic(): unknown {
  const object: Record<string, unknown> = {};
  object['self'] = object;
  return object;
}

/** A list that holds another twice, which holds another twice, and so on: small in memory, and too large for any as text. */
function doubled(levels: number): unknown {
  let list: unknown[] = [];
  for (let level = 0; level < levels; level += 1) list = [list, list];
  return { list };
}

function brokenBy(name: string, value: unknown): string[] {
  return rules.issues(Object.assign(new Sample(), { [name]: value })).map(({ path }) => path);
}

describe.each(Object.entries(EDGES))('the rule of %s', (name, { good, bad }) => {
  it('takes what is right up to its edges', () => {
    for (const value of good) expect(brokenBy(name, value), JSON.stringify(value)?.slice(0, 80)).toEqual([]);
  });

  it('refuses what is beyond them', () => {
    for (const value of bad) expect(brokenBy(name, value), String(value)).toContain(name);
  });
});

describe('content may be empty', () => {
  it.each([
    [{ modality: 'voice' }, true],
    [{ parts: [{ type: 'image' }] }, true],
    [{ parts: [] }, false],
    [{ parts: 'text' }, false],
    [{ modality: 'image' }, false],
  ])('beside %j: %j', (others, allowed) => {
    const issues = rules.issues(Object.assign(new Sample(), others, { content: '' }));
    expect(issues.length === 0).toBe(allowed);
  });
});
