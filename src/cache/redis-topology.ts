import type { RedisAddress } from './redis-url.js';

/** Which master of a cluster has which slots: from the first slot to the last one. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: RedisAddress;
}

export const SLOTS = 16_384;

/**
 * What CLUSTER SLOTS answers.
 *
 * @param asked Who has answered: a node that does not know its own address leaves it out.
 */
export function parseSlots(answer: unknown, asked: RedisAddress): SlotRange[] {
  return (answer as [number, number, [string | null, number]][])
    .map(([first, last, [host, port]]) => ({ first, last, master: { host: host || asked.host, port } }))
    .toSorted((a, b) => a.first - b.first);
}
