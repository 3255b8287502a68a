/** Where the cache takes time from; simulations inject their own. */
export interface Timing {
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  now(): number;
  /** The time of day in milliseconds since 1970, which several processes understand alike. */
  wallClock(): number;
  /** Resolves after so many milliseconds, or when the signal is aborted; it does not keep the process alive. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 to 1, as Math.random gives it. */
  random(): number;
}
