import { median } from '../median.js';

/** Calls a second, measured for so many milliseconds; `first` numbers the calls on. */
export type RateOf = (duration: number, first: number) => Promise<number>;

export interface RoundOptions {
  readonly rounds: number;
  /** How long a side runs in a round, in milliseconds. */
  readonly duration: number;
}

/** What was measured side by side. */
export interface Comparison {
  /** Calls a second by side: the median of the rounds. */
  readonly rates: Readonly<Record<string, number>>;
  /** How many times as fast as each other side ours is: the median of the rounds' ratios. */
  readonly times: Readonly<Record<string, number>>;
}

/** The side that the others are compared with. */
export const OURS = 'colloquy';

/** Measures the sides in each round, every other round backwards. */
export async function compare(
  name: string,
  sides: ReadonlyMap<string, RateOf>,
  { rounds, duration }: RoundOptions,
): Promise<Comparison> {
  const names = [...sides.keys()];
  const rates = new Map<string, number[]>(names.map((side) => [side, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of round % 2 === 0 ? names : names.toReversed()) {
      globalThis.gc?.();
      const rate = await (sides.get(side) as RateOf)(duration, round * 997);
      // The first round warms all up.
      if (round > 0) rates.get(side)?.push(rate);
    }
  }
  process.stderr.write(`${name} done\n`);
  const ours = rates.get(OURS) ?? [];
  const others = [...rates].filter(([side]) => side !== OURS);
  return {
    rates: Object.fromEntries([...rates].map(([side, each]) => [side, Math.round(median(each))])),
    times: Object.fromEntries(
      others.map(([side, each]) => [side, median(ours.map((rate, round) => rate / (each[round] ?? rate)))]),
    ),
  };
}

/** So many reads between two looks at the clock: one read may take less time than the look. */
const BATCH = 500;

/** The rate of what reads so many times in a loop of its own, which every side has so that none is slowed by another's calls. */
export function rateOfLoop(loop: (count: number) => Promise<void> | void): RateOf {
  return async (duration) => {
    let count = 0;
    const begin = performance.now();
    const end = begin + duration;
    for (; performance.now() < end; count += BATCH) await loop(BATCH);
    return (count * 1_000) / (performance.now() - begin);
  };
}
