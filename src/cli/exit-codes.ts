/** What the command tells the shell; documented in `colloquy --help`. */
export const EXIT = {
  success: 0,
  /** Done, with findings: records were left out, or a check did not pass. */
  findings: 1,
  /** The arguments or the configuration cannot be. */
  usage: 2,
  /** Not done: a file or the database could not be read or written, or there is no such row. */
  failure: 3,
  /** Ended by the user; the shell's own convention for SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
