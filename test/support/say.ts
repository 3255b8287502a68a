import { writeSync } from 'node:fs';

/** Long enough for a reader that is busy to read something, in milliseconds. */
const PAUSE = 1;

/**
 * Writes to standard output before it returns: what was said is known also when the process is killed right after. A pipe whose reader is
 * busy takes nothing for a while.
 */
export function say(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}
