const LANGUAGE = '(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})';
const SCRIPT = '(?:-[a-z]{4})?';
const REGION = '(?:-(?:[a-z]{2}|\\d{3}))?';
const VARIANTS = '(?:-(?:[a-z\\d]{5,8}|\\d[a-z\\d]{3}))*';
const EXTENSIONS = '(?:-[a-wy-z\\d](?:-[a-z\\d]{2,8})+)*';
const PRIVATE_USE = 'x(?:-[a-z\\d]{1,8})+';
/** Tags from before the grammar, which it keeps; the others of them are formed as it asks. */
const IRREGULAR =
  'en-gb-oed|i-ami|i-bnn|i-default|i-enochian|i-hak|i-klingon|i-lux|i-mingo|i-navajo|i-pwn|i-tao|i-tay|i-tsu|sgn-be-fr|sgn-be-nl|sgn-ch-de';

const TAG = new RegExp(
  `^(?:${LANGUAGE}${SCRIPT}${REGION}${VARIANTS}${EXTENSIONS}(?:-${PRIVATE_USE})?|${PRIVATE_USE}|${IRREGULAR})$`,
  'i',
);

/** The greatest length of a tag, in characters; the longest that are registered have 35. */
export const LANGUAGE_TAG_MAX = 100;

/** Whether a text is a well-formed language tag (BCP 47, RFC 5646 section 2.1), such as `en`, `zh-Hans` or `de-CH-1996`. */
export function isLanguageTag(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LANGUAGE_TAG_MAX && TAG.test(value);
}
