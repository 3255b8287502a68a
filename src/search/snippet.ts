import type { SoughtWord } from './query.js';
import { fold, type Word, wordsOf } from './terms.js';

/** What is put before and after each word that was found. */
export type Highlight = readonly [before: string, after: string];

/** Lengths in UTF-16 code units: a snippet without its marks, and how much of it stands before the first word that was found. */
const SNIPPET_LENGTH = 200;
const SNIPPET_LEAD = 40;
/** How far a cut is moved, so as not to go through a word. */
const CUT_MOVES_MAX = 20;
/** The part of a content in which the best place is looked for; the rest is only looked at for words that are not found there. */
const PLACE_WITHIN = 100_000;

interface Occurrence {
  readonly start: number;
  readonly end: number;
  readonly word: SoughtWord;
}

/** Where the words occur in a text as it was written, in order. */
function* occurrences(text: string, words: readonly SoughtWord[]): Generator<Occurrence> {
  for (const written of wordsOf(text)) {
    const folded: Word = { ...written, text: fold(written.text) };
    for (const word of words) {
      for (const [from, to] of word.occurrencesIn(folded)) {
        const start = written.start + offsetIn(written.text, folded.text, from);
        const end = written.start + offsetIn(written.text, folded.text, to);
        yield { start, end, word };
      }
    }
  }
}

/** The offset in a word as it was written of an offset in the folded word. */
function offsetIn(written: string, folded: string, offset: number): number {
  if (offset === 0) return 0;
  if (offset === folded.length) return written.length;
  if (written.length === folded.length) return offset;
  let length = 0;
  for (const { segment, index } of new Intl.Segmenter().segment(written)) {
    if (length >= offset) return index;
    length += fold(segment).length;
  }
  return written.length;
}

/**
 * The part of a document's content that says most about the words that were looked for, with the words highlighted and white space as
 * single spaces; the content's beginning when they are in the title alone. Undefined when a word occurs in neither: an index may find
 * more than there is. Nothing is escaped.
 */
export function snippetOf(
  { title, content }: { readonly title: string; readonly content: string },
  words: readonly SoughtWord[],
  highlight: Highlight,
): string | undefined {
  const missing = new Set(words);
  for (const { word } of occurrences(title, words)) missing.delete(word);
  const place = bestPlace(content, words, missing);
  for (const word of missing) {
    // What was written may only be a word when it is folded.
    if (!occurs(word, fold(title)) && !occurs(word, fold(content))) return undefined;
  }
  return cutOut(content, place, words, highlight);
}

/** Where the part with most of the different words begins, the first of them; takes what it meets from `missing`. */
function bestPlace(content: string, words: readonly SoughtWord[], missing: Set<SoughtWord>): number {
  let best = { start: 0, total: 0 };
  let recent: Occurrence[] = [];
  const text = missing.size === 0 ? content.slice(0, PLACE_WITHIN) : content;
  for (const occurrence of occurrences(text, words)) {
    missing.delete(occurrence.word);
    recent = recent.filter(({ start }) => start > occurrence.end - SNIPPET_LENGTH + SNIPPET_LEAD);
    recent.push(occurrence);
    const total = new Set(recent.map(({ word }) => word)).size;
    if (total > best.total) best = { start: recent[0]?.start ?? 0, total };
    const isDone = best.total === words.length || occurrence.start > PLACE_WITHIN;
    if (isDone && missing.size === 0) break;
  }
  return best.start;
}

function occurs(sought: SoughtWord, folded: string): boolean {
  for (const word of wordsOf(folded)) {
    if (sought.occurrencesIn(word).length > 0) return true;
  }
  return false;
}

function cutOut(content: string, place: number, words: readonly SoughtWord[], highlight: Highlight): string {
  const start = place <= SNIPPET_LEAD ? 0 : startOfWord(content, place - SNIPPET_LEAD, place);
  const end = start + SNIPPET_LENGTH >= content.length ? content.length : endOfWord(content, start + SNIPPET_LENGTH);
  const text = content.slice(start, end).replaceAll(/\s+/g, ' ').trim();
  let [snippet, at] = [start > 0 ? '…' : '', 0];
  for (const [from, to] of merged([...occurrences(text, words)])) {
    snippet += text.slice(at, from) + highlight[0] + text.slice(from, to) + highlight[1];
    at = to;
  }
  return snippet + text.slice(at) + (end < content.length ? '…' : '');
}

/** After the white space that follows, if it is near; never within a character. */
function startOfWord(text: string, from: number, max: number): number {
  const space = text.slice(from, Math.min(from + CUT_MOVES_MAX, max)).search(/\s/);
  return space >= 0 ? from + space + 1 : wholeCharacter(text, from);
}

function endOfWord(text: string, to: number): number {
  const tail = text.slice(to - CUT_MOVES_MAX, to + 1);
  const space = /\s\S*$/.exec(tail);
  return space ? to - CUT_MOVES_MAX + space.index : wholeCharacter(text, to);
}

/** The offset, or the one before it where a character does not end there. */
function wholeCharacter(text: string, offset: number): number {
  let own = offset;
  while (own > 0 && /^(?:[\udc00-\udfff]|\p{M})/u.test(text.slice(own, own + 2))) own -= 1;
  return own;
}

/** Ranges in order, those that touch or overlap as one. */
function merged(found: readonly Occurrence[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const { start, end } of found.toSorted((a, b) => a.start - b.start)) {
    const last = ranges.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else ranges.push([start, end]);
  }
  return ranges;
}
