import { FEATURE, tenantTerm, TOO_MANY_TERMS } from './document-terms.js';
import { fold, termsOf, type Word, wordsOf } from './terms.js';

/** A term to look for, or what terms begin with. */
export interface SoughtTerm {
  readonly term: string;
  readonly isPrefix: boolean;
}

/** A condition on a document's terms: one of the lists must be there in full. */
export type TermCondition = readonly (readonly SoughtTerm[])[];

/** Words of fewer characters are not looked for as the beginning of longer ones. */
const PREFIX_MIN = 3;
/** The words that count for the rank, so that the work for one search has an end; more of them must occur all the same. */
const RANKED_WORDS_MAX = 8;

/** A word of a query, folded, and what counts as an occurrence of it. */
export class SoughtWord {
  readonly text: string;
  readonly isPrefix: boolean;
  readonly terms: readonly SoughtTerm[];
  readonly #hasNoSpaces: boolean;

  constructor(word: Word) {
    const { length } = Array.from(word.text);
    const terms = termsOf(word);
    this.text = word.text;
    this.#hasNoSpaces = word.hasNoSpaces;
    // The last character of a text's word has a term of its own; in the middle of one it only begins a pair.
    if (word.hasNoSpaces && length > 1) terms.pop();
    this.isPrefix = word.hasNoSpaces ? length === 1 : length >= PREFIX_MIN;
    this.terms = terms.map((term, index) => ({ term, isPrefix: this.isPrefix && index === terms.length - 1 }));
  }

  /** Undefined where the word is found whole anyway. */
  get whole(): readonly SoughtTerm[] | undefined {
    if (this.#hasNoSpaces || !this.isPrefix) return undefined;
    return this.terms.map(({ term }) => ({ term, isPrefix: false }));
  }

  /** Where it occurs in a folded word of a text, as pairs of begin and end. */
  occurrencesIn({ text, hasNoSpaces }: Word): (readonly [number, number])[] {
    if (hasNoSpaces !== this.#hasNoSpaces) return [];
    if (!hasNoSpaces) {
      return text === this.text || (this.isPrefix && text.startsWith(this.text)) ? [[0, text.length]] : [];
    }
    const found: [number, number][] = [];
    for (let at = text.indexOf(this.text); at >= 0; at = text.indexOf(this.text, at + this.text.length)) {
      found.push([at, at + this.text.length]);
    }
    return found;
  }
}

/** The different words of a query; whatever else it holds has no meaning. */
export function soughtWords(query: string): SoughtWord[] {
  const words = new Map<string, SoughtWord>();
  for (const word of wordsOf(fold(query))) words.set(word.text, new SoughtWord(word));
  return [...words.values()];
}

export interface WeightedCondition {
  readonly weight: number;
  readonly condition: TermCondition;
}

/** What one word adds to a document's score. A title outweighs any frequency, and a whole word the beginning of a longer one. */
const WEIGHTS = { every: 1, title: 16, wholeInTitle: 4, whole: 2, frequent: 1 } as const;

/**
 * The conditions whose weights add up to a document's score. The first is met by every document that can be a hit, the others by some
 * of those.
 */
export function rankedConditions(tenantId: string, words: readonly SoughtWord[]): WeightedCondition[] {
  const tenant: SoughtTerm = { term: tenantTerm(tenantId), isPrefix: false };
  const every = [tenant, ...words.flatMap(({ terms }) => terms)];
  const large: SoughtTerm = { term: TOO_MANY_TERMS, isPrefix: false };
  const conditions: WeightedCondition[] = [{ weight: WEIGHTS.every, condition: [every, [tenant, large]] }];
  const add = (weight: number, terms: readonly SoughtTerm[], feature = ''): void => {
    const featured = terms.map(({ term, isPrefix }) => ({ term: feature + term, isPrefix }));
    conditions.push({ weight, condition: [[...every, ...featured]] });
  };
  for (const { terms, whole } of words.slice(0, RANKED_WORDS_MAX)) {
    add(WEIGHTS.title, terms, FEATURE.title);
    for (const feature of FEATURE.frequent) add(WEIGHTS.frequent, terms, feature);
    if (!whole) continue;
    add(WEIGHTS.whole, whole);
    add(WEIGHTS.wholeInTitle, whole, FEATURE.title);
  }
  return conditions;
}
