import { deserialize, ForeignEntryError, serialize } from './serializer.js';

/** A value as tier two has it: until when it is fresh, in milliseconds of the time of day, and the value; nothing where there is none. */
export interface Envelope {
  readonly freshUntil: number;
  readonly value: unknown;
}

export function seal({ freshUntil, value }: Envelope): string {
  return `${String(Math.round(freshUntil))} ${value === undefined ? '' : serialize(value)}`;
}

/** @throws ForeignEntryError */
export function unseal(text: string): Envelope {
  const head = /^(\d{1,16}) /.exec(text);
  if (!head) throw new ForeignEntryError();
  const body = text.slice(head[0].length);
  return { freshUntil: Number(head[1]), value: body === '' ? undefined : deserialize(body) };
}
