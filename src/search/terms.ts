/**
 * The words of a text, and the terms that they are looked up by. Terms are made here and not by the engines, so that all of them find
 * the same, in any language and whatever the database's locale.
 *
 * A text is folded (see {@link fold}) and cut into words: letters, digits, and the marks that belong to them; all else only stands
 * between words. A word of a script that is written without spaces, or in which words are joined, such as 退款政策, gives a term for each
 * pair of neighbouring characters and one for its last character; any other word gives one term.
 *
 * A term is a word of ASCII letters and digits, which every engine's full-text index takes as it is: a capital for its kind, then the
 * word, in which `z` is `zz` and a character beyond ASCII is `z` and four digits; in a pair each character is four digits. None is as
 * short as, longer than, or the same as what an index leaves out.
 */

/** No stop word of MariaDB begins with one of these. */
const KIND = {
  /** A word, or the beginning of one that is longer than an index takes. */
  word: 'X',
  /** How a long word goes on. */
  continuation: 'Y',
  /** One character or two of a word that is written without spaces. */
  characters: 'K',
} as const;

/** Every two digits to the base 36. Four are enough for a character, and the first of them is never a `z`. */
const TWO_DIGITS = Array.from({ length: 36 ** 2 }, (_unused, number) => number.toString(36).padStart(2, '0'));
/** MariaDB leaves out words of more than 84 characters; a longer word of a text is cut. */
const PIECE_MAX = 64;

const WITHOUT_SPACES =
  '[\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{sc=Bopomofo}\\p{sc=Hangul}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}]';
const LETTER = '[\\p{L}\\p{N}]';
const LETTER_OR_MARK = '[\\p{L}\\p{N}\\p{M}]';
/** Words; the first group is one that is written without spaces. */
const WORDS = new RegExp(
  `([${LETTER}&&${WITHOUT_SPACES}][${LETTER_OR_MARK}&&[${WITHOUT_SPACES}\\p{M}]]*)|[${LETTER}--${WITHOUT_SPACES}][${LETTER_OR_MARK}--${WITHOUT_SPACES}]*`,
  'gv',
);
// eslint-disable-next-line no-control-regex -- ASCII begins with them
const ASCII = /^[\u0000-\u007f]*$/;
const IGNORED = /[\u0300-\u036f\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Text as search compares it: compatibility forms are one (NFKC: ｒｅｆｕｎｄ is refund, ① is 1), upper case is lower case (ß is ss), and
 * the accents of Latin, Greek and Cyrillic letters are dropped. Marks that make another letter, such as those of kana and of
 * Devanagari, stay.
 */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const bare = text.normalize('NFKD').replace(IGNORED, '');
  return bare.toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

/** A word of one kind of script. Two of them may touch, as in Python入門. */
export interface Word {
  readonly text: string;
  readonly hasNoSpaces: boolean;
  /** Where it begins in the text. */
  readonly start: number;
}

export function* wordsOf(text: string): Generator<Word> {
  for (const match of text.matchAll(WORDS)) {
    yield { text: match[0], hasNoSpaces: match[1] !== undefined, start: match.index };
  }
}

/** The terms of a word, in order. */
export function termsOf({ text, hasNoSpaces }: Word): string[] {
  return hasNoSpaces ? pairs(text) : pieces(text);
}

function pairs(text: string): string[] {
  const digits = Array.from(text, digitsOf);
  return digits.map((own, index) => KIND.characters + own + (digits[index + 1] ?? ''));
}

function pieces(text: string): string[] {
  const result: string[] = [];
  let piece = '';
  for (const character of text) {
    piece += character === 'z' ? 'zz' : character <= '\u007f' ? character : `z${digitsOf(character)}`;
    if (piece.length < PIECE_MAX) continue;
    result.push(piece);
    piece = '';
  }
  if (piece !== '' || result.length === 0) result.push(piece);
  return result.map((own, index) => finished((index === 0 ? KIND.word : KIND.continuation) + own));
}

/** MariaDB leaves out words of fewer than three characters. */
function finished(term: string): string {
  return term.length < 3 ? `${term}${KIND.word}` : term;
}

function digitsOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `${TWO_DIGITS[Math.floor(code / TWO_DIGITS.length)] ?? ''}${TWO_DIGITS[code % TWO_DIGITS.length] ?? ''}`;
}
