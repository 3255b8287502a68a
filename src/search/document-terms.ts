import { fold, termsOf, wordsOf } from './terms.js';

/** What a term stands for beside the word itself; capitals that no kind of term has, and that begin no stop word of MariaDB. */
export const FEATURE = {
  /** The word is in the title. */
  title: 'J',
  /** The word is frequent in the content, and more frequent. */
  frequent: ['M', 'N'],
  tenant: 'Q',
} as const;

/** Of a text that has more terms than an index takes. It is looked at in every search of its tenant. */
export const TOO_MANY_TERMS = 'VVV';

/** PostgreSQL takes 1,048,575 bytes of different terms. */
const TERMS_MAX = 1_000_000;

/**
 * How frequent is frequent, by the saturation of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) with its
 * usual k1 and b: in a text of the usual length it takes two occurrences, or five. That length is fixed, so that the rank of a document
 * does not depend on others.
 */
const FREQUENT = [1.2, 1.7] as const;
const K1 = 1.2;
const B = 0.75;
const USUAL_LENGTH = 1_000;

export interface SearchedText {
  readonly tenantId: string;
  readonly title: string;
  readonly content: string;
}

export function tenantTerm(tenantId: string): string {
  return FEATURE.tenant + tenantId.replaceAll('-', '');
}

/** The terms by which an index finds a document, each once, with spaces between them. */
export function documentTerms({ tenantId, title, content }: SearchedText): string {
  const ofTitle = new Set(allTermsOf(title));
  const counts = new Map<string, number>();
  let length = 0;
  for (const term of allTermsOf(content)) {
    counts.set(term, (counts.get(term) ?? 0) + 1);
    length += 1;
  }
  const terms = [tenantTerm(tenantId), ...ofTitle, ...Array.from(ofTitle, (term) => FEATURE.title + term)];
  const halfSaturated = K1 * (1 - B + (B * length) / USUAL_LENGTH);
  for (const [term, count] of counts) {
    if (!ofTitle.has(term)) terms.push(term);
    const saturation = (count * (K1 + 1)) / (count + halfSaturated);
    for (const [level, least] of FREQUENT.entries()) {
      if (saturation >= least) terms.push(`${FEATURE.frequent[level] ?? ''}${term}`);
    }
  }
  const line = terms.join(' ');
  return line.length <= TERMS_MAX ? line : `${tenantTerm(tenantId)} ${TOO_MANY_TERMS}`;
}

function* allTermsOf(text: string): Generator<string> {
  for (const word of wordsOf(fold(text))) yield* termsOf(word);
}
