import type { CallingProcess } from './calling-process.js';

/** What goes wrong while the callers call. */
export interface Faults {
  readonly name: string;
  /** How often; the moments are drawn from the seed. */
  readonly times: number;
  /** The database as the callers reach it, where it is not as the test itself does. */
  readonly callersUrl?: string;
  /** Lets it go wrong once; false when there was nothing left to hit. */
  fire(draw: (max: number) => number, processes: readonly CallingProcess[]): Promise<boolean>;
}

/** One of the processes is killed by SIGKILL, and another takes its place. */
export function killProcesses(times: number): Faults {
  return {
    name: 'kill',
    times,
    async fire(draw, processes) {
      const first = draw(processes.length) - 1;
      // The one whose work is done cannot be hit any more.
      return [...processes.slice(first), ...processes.slice(0, first)].some((calling) => calling.kill());
    },
  };
}
