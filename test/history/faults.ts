import type { CallingProcess } from './calling-process.js';

/** What goes wrong while the callers call. */
export interface Faults {
  readonly name: string;
  /** How often something is to go wrong; the moments are drawn from the seed. */
  readonly times: number;
  /** What went wrong, and how often. */
  readonly counts: Counts;
  /** The database as the callers reach it, where it is not as the test itself does. */
  readonly callersUrl?: string;
  /** Lets something go wrong, unless there is nothing left to hit. */
  fire(draw: (max: number) => number, processes: readonly CallingProcess[]): Promise<void>;
}

export class Counts {
  readonly #counts = new Map<string, number>();

  add(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    return [...this.#counts].map(([what, count]) => `${String(count)} ${what}`).join(', ') || 'none';
  }
}

/** One of the processes is killed by SIGKILL, and another takes its place. */
export function killProcesses(times: number): Faults {
  const counts = new Counts();
  return {
    name: 'kill',
    times,
    counts,
    async fire(draw, processes) {
      const first = draw(processes.length) - 1;
      // The one whose work is done cannot be hit any more.
      const hit = [...processes.slice(first), ...processes.slice(0, first)].some((calling) => calling.kill());
      if (hit) counts.add('processes killed');
    },
  };
}
