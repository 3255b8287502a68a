import { assert, nat, property, string, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentTerms, TOO_MANY_TERMS } from '../../src/search/document-terms.js';
import { soughtWords } from '../../src/search/query.js';
import { fold, termsOf, wordsOf } from '../../src/search/terms.js';

const TENANT = '01900000-0000-7000-8000-000000000000';
const termsIn = (text: string): string[] => [...wordsOf(fold(text))].flatMap(termsOf);
const wordsIn = (text: string): string[] => [...wordsOf(fold(text))].map((word) => word.text);

describe('folding makes one of', () => {
  it.each([
    ['cases', 'Refund', 'refUND'],
    ['accents', 'Crème Brûlée', 'creme brulee'],
    ['composed and decomposed letters', 'caf\u00e9', 'cafe\u0301'],
    ['wide and narrow forms', 'ＲＥＦＵＮＤ', 'refund'],
    ['half-width and full-width kana', 'ｶﾞｲﾄﾞ', 'ガイド'],
    ['compatibility forms', 'ﬁle ①', 'file 1'],
    ['sharp s', 'Straße', 'STRASSE'],
    ['the sigmas', 'ΟΔΟΣ', 'οδος'],
    ['the letters i of Turkish', 'İSTANBUL ısı', 'istanbul isi'],
    ['words with and without invisible characters', 're\u00adfund\u200d', 'refund'],
    ['Hangul and its letters', '환불', '환불'.normalize('NFD')],
  ])('%s', (_what, one, other) => {
    expect(fold(one)).toBe(fold(other));
  });

  it('nothing of different letters that share a base', () => {
    expect(fold('バス')).not.toBe(fold('ハス'));
    expect(fold('कि')).not.toBe(fold('का'));
  });
});

describe('the words of a text', () => {
  it.each([
    [
      "Don't stop at foo-bar, user_id or 3.14!",
      ['don', 't', 'stop', 'at', 'foo', 'bar', 'user', 'id', 'or', '3', '14'],
    ],
    ['Python入門 第3章', ['python', '入門', '第', '3', '章']],
    ['हिन्दी भाषा', ['हिन्दी', 'भाषा']],
    ['*"()\\%_- 🚀 ', []],
  ])('of %j', (text, words) => {
    expect(wordsIn(text)).toEqual(words);
  });
});

const filler = (words: number): string =>
  Array.from({ length: words }, (_unused, index) => `filler${String(index)}`).join(' ');

/** How many levels of frequency a text of `length` other words has for a word that occurs so many times. */
const levels = (times: number, length: number): number => {
  const content = `${'refund '.repeat(times)}${filler(length)}`;
  const terms = documentTerms({ tenantId: TENANT, title: 'x', content }).split(' ');
  return terms.filter((term) => term.endsWith('Xrefund')).length - 1;
};

describe('terms', () => {
  it('are ASCII words that every index takes, whatever the text', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 200 }), (text) => {
        for (const term of termsIn(text)) expect(term).toMatch(/^[XYK][0-9a-zX]{2,83}$/);
      }),
    );
  });

  it('are no stop words, and different for different words', () => {
    const texts = [
      'hat',
      'what',
      'ho',
      'who',
      'o',
      'ox',
      'zz',
      'z',
      'za0',
      'é',
      'ж',
      'жа',
      '退款',
      '款退',
      '退',
      '𠮷',
      '𠮷野',
    ];
    const terms = texts.map((text) => termsIn(text).join(' '));
    expect(new Set(terms).size).toBe(new Set(texts.map(fold)).size);
    expect(terms.filter((term) => /^(?:what|who)$/i.test(term))).toEqual([]);
  });

  it('of a word begin like those of its beginning', () => {
    assert(
      property(stringMatching(/^[a-zà-ж]{3,150}$/), nat(), (text, cut) => {
        const [word = ''] = wordsIn(text);
        const [sought] = soughtWords(word.slice(0, 3 + (cut % Math.max(1, word.length - 2))));
        const terms = termsIn(word);
        for (const { term, isPrefix } of sought?.terms ?? []) {
          expect(terms.some((other) => (isPrefix ? other.startsWith(term) : other === term))).toBe(true);
        }
      }),
    );
  });

  it('say how frequent a word is, the length of the text considered', () => {
    expect([levels(1, 1000), levels(2, 1000), levels(6, 1000)]).toEqual([0, 1, 2]);
    expect([levels(1, 20), levels(6, 20_000)]).toEqual([1, 0]);
  });

  it('are no more than an index takes', () => {
    const content = Array.from({ length: 200_000 }, (_unused, index) => `word${String(index)}`).join(' ');
    expect(documentTerms({ tenantId: TENANT, title: 'x', content }).split(' ')[1]).toBe(TOO_MANY_TERMS);
  });
});
