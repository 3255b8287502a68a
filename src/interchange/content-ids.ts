import { hash } from 'node:crypto';

/**
 * Identifiers for the records of one file that have none: a hash of what they say, so that the same file read again gives the same
 * identifiers. Records that say the same are told apart by a number, in their order in the file.
 */
export class ContentIds {
  readonly #uses = new Map<string, number>();

  /** 32 hexadecimal digits; `-2`, `-3` and so on are appended for the further records with equal content. */
  next(value: unknown): string {
    const id = hash('sha256', canonicalJson(value)).slice(0, 32);
    const use = (this.#uses.get(id) ?? 0) + 1;
    this.#uses.set(id, use);
    return use === 1 ? id : `${id}-${use}`;
  }
}

/** JSON without white space and with sorted keys. */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}
