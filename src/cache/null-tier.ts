import type { Address, Found, Lease, SharedTier, SharedTierSubscriber } from './shared-tier.js';

export interface NullTierOptions {
  /** See {@link SharedTier.localMaxAge}. */
  readonly localMaxAge: number;
  /** Changes whenever another process has committed anything; undefined while it cannot be told. */
  readonly databaseVersion?: (() => unknown) | undefined;
}

/** No tier two: nothing is shared, everybody may load, and each process keeps what it has loaded for itself. */
export class NullTier implements SharedTier {
  readonly isUp = true;
  readonly isShared = false;
  readonly localMaxAge: number;
  readonly isExact: boolean;
  readonly #databaseVersion: (() => unknown) | undefined;
  #lastVersion: unknown;
  #subscriber: SharedTierSubscriber | undefined;
  #stored = 0;

  constructor({ localMaxAge, databaseVersion }: NullTierOptions) {
    this.localMaxAge = localMaxAge;
    this.isExact = databaseVersion !== undefined;
    this.#databaseVersion = databaseVersion;
    this.#lastVersion = databaseVersion?.();
  }

  get heardUntil(): number {
    if (!this.#databaseVersion) return Infinity;
    const version = this.#databaseVersion();
    if (version === undefined) return -Infinity;
    if (version !== this.#lastVersion) {
      this.#lastVersion = version;
      this.#subscriber?.missed();
    }
    return Infinity;
  }

  async read(): Promise<Found> {
    return NOTHING;
  }

  async acquire(address: Address): Promise<Lease> {
    return { kind: 'lease', address, token: '', milliseconds: Infinity, stamp: '' };
  }

  async store(): Promise<string> {
    this.#stored += 1;
    return String(this.#stored);
  }

  async release(): Promise<void> {
    // Nobody else wants it.
  }

  async invalidate(): Promise<void> {
    // Whoever keeps something is told by the cache itself.
  }

  async clear(): Promise<void> {
    // Nothing is here.
  }

  async *keys(): AsyncGenerator<readonly string[]> {
    // Nothing is here.
  }

  async report(): Promise<void> {
    // Nobody asks.
  }

  async reports(): Promise<readonly string[]> {
    return [];
  }

  subscribe(subscriber: SharedTierSubscriber): void {
    this.#subscriber = subscriber;
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

const NOTHING: Found = { kind: 'nothing' };
