/** Where a value is kept: under its key, as long as none of its tags is invalidated. All are of one tenant, and of one slot. */
export interface Address {
  readonly key: string;
  readonly tags: readonly string[];
}

/** What is no longer true. */
export interface Targets {
  readonly keys: readonly string[];
  readonly tags: readonly string[];
}

/** What there is at an address: a value, somebody who is loading it, or nothing. */
export type Found =
  | { readonly kind: 'value'; readonly text: string; readonly version: string }
  | { readonly kind: 'leased' }
  | { readonly kind: 'nothing' };

/** The right to store a value once, which whatever is invalidated takes away. */
export interface Lease {
  readonly kind: 'lease';
  readonly address: Address;
  readonly token: string;
  /** For how long it was taken. */
  readonly milliseconds: number;
  /** What has to be the same still for the value to be believed. */
  readonly stamp: string;
}

export interface SharedTierSubscriber {
  /** Somebody else has invalidated this. */
  readonly invalidated: (targets: Targets) => void;
  /** Anything may have been invalidated. */
  readonly missed: () => void;
}

/**
 * Tier two: what the processes of one database share. It may lose anything at any time, but never gives what was stored by a load that
 * began before an invalidation that it has confirmed (leases: Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, 3.2.1).
 * Every call ends within a time limit of the tier's own; one that rejects tells of an outage, and may have had its effect.
 */
export interface SharedTier {
  /** Whether a call has a chance. */
  readonly isUp: boolean;
  /** Until when, in milliseconds of the cache's clock, every invalidation by others was certainly heard. */
  readonly heardUntil: number;
  /** How old what one process keeps for itself may be, in milliseconds, since it cannot hear of all that others write. */
  readonly localMaxAge: number;
  /** Whether there is anything that processes share. */
  readonly isShared: boolean;
  /** Whether `heardUntil` itself notices whatever others have committed: what a process keeps is then as good as the database. */
  readonly isExact: boolean;
  read(address: Address): Promise<Found>;
  /**
   * Takes the lease of an address for so many milliseconds, unless somebody has it or there is a value; the value of the version
   * `instead` gives way.
   */
  acquire(address: Address, milliseconds: number, instead?: string): Promise<Lease | Found>;
  /**
   * Stores the value of a lease, made when it is needed, for so many milliseconds from when the lease was taken, and gives its version;
   * undefined where the lease was taken away.
   */
  store(lease: Lease, makeText: () => string, milliseconds: number): Promise<string | undefined>;
  /** Gives a lease back unused. */
  release(lease: Lease): Promise<void>;
  /** Resolves when nobody can read the targets any more, nor store what was loaded before, and others are told. */
  invalidate(targets: Targets): Promise<void>;
  /** Forgets every key that begins so, everything unless given, and tells others that they may have missed something. */
  clear(prefix?: string): Promise<void>;
  /** The keys that there are, some at a time. */
  keys(): AsyncIterable<readonly string[]>;
  /** Says for a while how this process does, for whoever asks {@link reports}; undefined takes it back. */
  report(text: string | undefined): Promise<void>;
  /** What the processes that are there have said last. */
  reports(): Promise<readonly string[]>;
  /** Called once, before the tier is used. */
  subscribe(subscriber: SharedTierSubscriber): void;
  close(): Promise<void>;
}
