/** Redis is away, gave no answer in time, or refused a command. Neither its message nor its cause shows a command's values. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
  /** What is the matter, for people. */
  readonly reason: string;

  constructor(reason: string, options: ErrorOptions = {}) {
    super(`Redis cannot be used: ${reason}`, options);
    this.reason = reason;
  }
}
