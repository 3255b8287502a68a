import { InvalidArgumentError } from 'commander';
import type { ExitCode } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** What every command gets: where to write, and the signal that ends it early. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** A command's work; what it returns becomes the exit code. */
export type CommandRunner = (work: (context: CommandContext) => Promise<ExitCode>, json?: boolean) => Promise<void>;

/** Reads an option as a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < min) {
      throw new InvalidArgumentError(`It must be a whole number of at least ${String(min)}.`);
    }
    return number;
  };
}
