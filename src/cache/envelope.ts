import type { Serializer } from './serializer.js';
import { ForeignEntryError } from './serializer-errors.js';

/** A value as tier two has it: until when it is fresh, in milliseconds of the time of day, and the value; nothing where there is none. */
export interface Envelope {
  readonly freshUntil: number;
  readonly value: unknown;
}

/** Of the time of day. */
const MAX_DIGITS = 16;
const ZERO = '0'.charCodeAt(0);

/** @throws NotSerializableError */
export function seal({ freshUntil, value }: Envelope, serializer: Serializer): string {
  return `${String(Math.round(freshUntil))} ${value === undefined ? '' : serializer.serialize(value)}`;
}

/** @throws ForeignEntryError */
export function unseal(text: string, serializer: Serializer): Envelope {
  const end = text.indexOf(' ');
  if (end < 1 || end > MAX_DIGITS) throw new ForeignEntryError();
  let freshUntil = 0;
  for (let place = 0; place < end; place += 1) {
    const digit = text.charCodeAt(place) - ZERO;
    if (digit < 0 || digit > 9) throw new ForeignEntryError();
    freshUntil = freshUntil * 10 + digit;
  }
  const isNothing = text.length === end + 1;
  return { freshUntil, value: isNothing ? undefined : serializer.deserialize(text.slice(end + 1)) };
}
