import type { Serializer } from './serializer.js';
import { ForeignEntryError } from './serializer-errors.js';

/** A value as tier two has it: until when it is fresh, in milliseconds of the time of day, and the value; nothing where there is none. */
export interface Envelope {
  readonly freshUntil: number;
  readonly value: unknown;
}

/** @throws NotSerializableError */
export function seal({ freshUntil, value }: Envelope, serializer: Serializer): string {
  return `${String(Math.round(freshUntil))} ${value === undefined ? '' : serializer.serialize(value)}`;
}

/** @throws ForeignEntryError */
export function unseal(text: string, serializer: Serializer): Envelope {
  const head = /^(\d{1,16}) /.exec(text);
  if (!head) throw new ForeignEntryError();
  const body = text.slice(head[0].length);
  return { freshUntil: Number(head[1]), value: body === '' ? undefined : serializer.deserialize(body) };
}
