/**
 * An e-mail address as two of them are compared: in lower case and in Unicode's canonical form (NFC), which is the same for every
 * engine, whatever its collations are. Undefined where the address is not known, null where there is none.
 */
export function emailKeyOf({ email }: { readonly email?: string | null }): string | null | undefined {
  // What is no text is for the rules to refuse.
  if (typeof email !== 'string') return email === null ? null : undefined;
  return email.normalize('NFC').toLowerCase();
}
