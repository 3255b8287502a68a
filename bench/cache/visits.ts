/** Numbers from 0 to 1 that are the same each time: mulberry32, by T. Ettinger. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ranks from 0, where rank `r` comes in proportion to `1 / (r + 1) ** exponent` (G. K. Zipf). */
export function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) sums[rank] = sum += (rank + 1) ** -exponent;
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Puts items in another order (R. Durstenfeld, "Algorithm 235", 1964). */
export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const order = items.slice();
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as Item, order[last] as Item];
  }
  return order;
}

/** A conversation as it was imported. */
export interface Talk {
  readonly id: string;
  readonly userId: string;
  /** How many messages it has. */
  readonly messages: number;
}

/** One step of a replay: the conversation is opened, which is three reads, and a message may be appended. */
export interface Step {
  readonly talk: Talk;
  readonly appends: boolean;
}

export interface Habits {
  /** How many reads there are for each append. */
  readonly readsPerAppend: number;
  /** How many conversations are held at a time; 0 where each step is of another conversation, whatever came before. */
  readonly atOnce: number;
  readonly exponent: number;
  readonly seed: number;
}

/** What is read at each step: the conversation, its user, its history. */
export const READS_OF_STEP = 3;

/**
 * So many steps. Conversations are chosen by Zipf's law, and which of them are the popular ones is chance. Somebody who has chosen one
 * holds it for as many appends as the archive has messages of it, at most {@link LONGEST}; those that are held at a time take turns by chance.
 */
export function stepsOf(talks: readonly Talk[], count: number, habits: Habits): Step[] {
  const random = seeded(habits.seed);
  const popular = shuffled(talks, random);
  const rank = zipf(popular.length, habits.exponent, random);
  const choose = (): Talk => popular[rank()] as Talk;
  const probability = READS_OF_STEP / habits.readsPerAppend;
  const lengthOf = ({ messages }: Talk): number => Math.ceil(Math.min(messages, LONGEST) / probability);
  const held = Array.from({ length: habits.atOnce }, () => {
    const talk = choose();
    // Those that are held when the replay begins are somewhere in their midst.
    return { talk, left: Math.ceil(random() * lengthOf(talk)) };
  });
  return Array.from({ length: count }, (): Step => {
    const appends = random() < probability;
    if (held.length === 0) return { talk: choose(), appends };
    const seat = held[Math.floor(random() * held.length)] as { talk: Talk; left: number };
    const { talk } = seat;
    seat.left -= 1;
    if (seat.left <= 0) {
      seat.talk = choose();
      seat.left = lengthOf(seat.talk);
    }
    return { talk, appends };
  });
}

/** One conversation of the archives has hundreds of messages; nobody holds one for so long. */
export const LONGEST = 30;
