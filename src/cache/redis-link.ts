/** A command's name and its arguments, such as `['del', key]`. */
export type RedisCommand = readonly [name: string, ...values: (string | number)[]];

/** A value, and for how many milliseconds it is there. */
export interface Expiring {
  readonly text: string;
  readonly milliseconds: number;
}

/** What a subscriber is told. */
export interface RedisSubscriber {
  readonly message: (text: string) => void;
  /** Messages may have been missed: whoever relies on having heard them all starts again from nothing. */
  readonly missed: () => void;
}

/**
 * The way to a Redis server, or to a cluster of them. Every call ends within the link's time limit; one that fails or gets no answer
 * rejects, and may or may not have had its effect. While the server is known to be away, calls reject at once.
 */
export interface RedisLink {
  /**
   * The identity of the server's present run, undefined while it is away. A server that was restarted, or another that took over, may
   * have an old state back: what was stored in one run is not to be believed in the next.
   */
  readonly run: string | undefined;
  /**
   * When everything that had been published was certainly heard, in milliseconds of the link's clock, or -Infinity while nothing is.
   * It moves on with every heartbeat that is answered.
   */
  readonly heardUntil: number;
  /** Sends commands about keys of one slot, in this order on one connection, and answers with their results. */
  send(commands: readonly RedisCommand[]): Promise<readonly unknown[]>;
  /**
   * Gives a key another value if it has the expected one, in one step, and tells whether it did. The value is there for so many
   * milliseconds from when the expected one was set, by the server's clock: a command that arrives late does not prolong it.
   */
  replace(key: string, expected: Expiring, value: Expiring): Promise<boolean>;
  /** Deletes a key if it has the expected value, in one step. */
  remove(key: string, expected: string): Promise<void>;
  /** The keys that begin with a prefix, some at a time: all of those that are there from beginning to end. */
  scan(prefix: string): AsyncIterable<readonly string[]>;
  /** Hears what is published in a channel; called once, before the link is used. */
  subscribe(channel: string, subscriber: RedisSubscriber): void;
  close(): Promise<void>;
}
