import { describe, expect, it } from 'vitest';
import { soughtWords } from '../../src/search/query.js';
import { snippetOf } from '../../src/search/snippet.js';

const snippet = (query: string, content: string, title = 'title'): string | undefined =>
  snippetOf({ title, content }, soughtWords(query), ['[', ']']);

const LOREM = 'Lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy eirmod tempor. '.repeat(10);

describe('a snippet', () => {
  it.each([
    ['as it was written', 'REFUND creme', 'A Refund for Crème brûlée', 'A [Refund] for [Crème] brûlée'],
    ['whole words, found by their beginning', 'refund', 'refunds and prerefund', '[refunds] and prerefund'],
    ['short words only whole', 'do', 'do dogs do', '[do] dogs [do]'],
    ['words inside text', '退款政策', '申请退款政策说明', '申请[退款政策]说明'],
    ['one character', '退', '申请退款、退货', '申请[退]款、[退]货'],
    ['half-width letters', 'ガイド', '新しいｶﾞｲﾄﾞです', '新しい[ｶﾞｲﾄﾞ]です'],
    [
      'composed letters',
      '환불',
      '환불 정책'.normalize('NFD'),
      `[${'환불'.normalize('NFD')}] ${'정책'.normalize('NFD')}`,
    ],
    ['what overlaps as one', '退款 款政', '退款政策', '[退款政]策'],
    ['white space as one space', 'b', 'a\n\n\tb   c', 'a [b] c'],
    ['nothing escaped', 'b', '<b>&', '<[b]>&'],
  ])('shows %s', (_what, query, content, shown) => {
    expect(snippet(query, content)).toBe(shown);
  });

  it('is cut out around the place with most of the words, between words', () => {
    const text = snippet('refund policy', `refund ${LOREM}Here the refund policy is told. ${LOREM}`);
    expect(text).toMatch(/^…\w.* Here the \[refund\] \[policy\] is told\. .*\w…$/);
    expect(text?.length).toBeLessThan(210);
    expect(LOREM).toContain(text?.split('Here')[0]?.slice(1).trim());
  });

  it('never cuts a character', () => {
    const cut = snippet('退', `${'𠮷'.repeat(301)}退${'𠮷'.repeat(301)}`);
    expect(cut?.isWellFormed()).toBe(true);
    expect(cut).toContain('[退]');
  });

  it('is the beginning of the content where the words are in the title alone', () => {
    expect(snippet('refund', LOREM, 'Refund')).toMatch(/^Lorem ipsum .*\w…$/);
  });

  it('is none where a word is in neither, though all its terms are', () => {
    expect(snippet('退款政策', '退款。款政。政策')).toBeUndefined();
    expect(snippet('refund policy', 'refund')).toBeUndefined();
  });

  it('is there where a word is only one after folding', () => {
    expect(snippet('株式会社', '㍿ Colloquy')).toBe('㍿ Colloquy');
    expect(snippet('refund', 'a re\u00adfund')).toBe('a re\u00adfund');
  });
});
