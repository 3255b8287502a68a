/** A load took longer than its policy allows. */
export class LoadTimeoutError extends Error {
  override readonly name = 'LoadTimeoutError';
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    super(`the load was given up after ${String(milliseconds)} ms, as its cache policy says (hardTimeout)`);
    this.milliseconds = milliseconds;
  }
}
