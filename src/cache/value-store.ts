import { seal, unseal } from './envelope.js';
import type { CacheContext } from './fetcher.js';
import { type LocalLimits, LocalTier } from './local-tier.js';
import { copyOf, sizeOf } from './plain-data.js';
import { ForeignEntryError } from './serializer-errors.js';
import type { Address, Found, Lease, Targets } from './shared-tier.js';

/** How long the right to store lasts, in milliseconds. */
const LEASE = 1_000;

/**
 * Values that somebody else loads and stores, each for a time of its own, in both tiers: for whoever asks first and stores later, such
 * as an ORM. Nothing is invalidated but what is deleted or whose tag is: how old a value may be, its time says.
 */
export class ValueStore {
  readonly #context: CacheContext;
  readonly #local: LocalTier;
  /** How often anything was forgotten: what was on its way meanwhile is not kept. */
  #drops = 0;

  constructor(limits: LocalLimits, context: CacheContext) {
    this.#context = context;
    this.#local = new LocalTier('lru', limits, context.timing);
  }

  /** A copy of the value, or undefined. */
  async get(address: Address): Promise<unknown> {
    const { shared, ledger, timing, bound } = this.#context;
    const hearsUntil = shared.heardUntil + bound;
    const entry = this.#local.get(address.key);
    const now = timing.now();
    if (entry && now < entry.freshUntil && now < hearsUntil) return copyOf(entry.value);
    if (!shared.isUp || ledger.has(address)) return undefined;
    const drops = this.#drops;
    try {
      const found = await shared.read(address);
      return found.kind === 'value' ? this.#open(address, found, drops) : undefined;
    } catch (error) {
      this.#context.onError(error);
      return undefined;
    }
  }

  /** Keeps a copy of a value for so many milliseconds, in the place of what is there; while tier two is away, it is not kept. */
  async set(address: Address, value: unknown, milliseconds: number): Promise<void> {
    const { shared, ledger, timing, serializer } = this.#context;
    if (milliseconds <= 0 || !shared.isUp || ledger.has(address)) return;
    const freshUntil = timing.now() + milliseconds;
    const drops = this.#drops;
    const text = () => seal({ value, freshUntil: timing.wallClock() + milliseconds }, serializer);
    try {
      let found: Found | Lease = await shared.acquire(address, LEASE);
      if (found.kind === 'value') found = await shared.acquire(address, LEASE, found.version);
      // Somebody else is storing what he has loaded as late.
      if (found.kind !== 'lease') return;
      const version = await shared.store(found, text, milliseconds);
      if (version !== undefined && drops === this.#drops) this.#keep(address, copyOf(value), version, freshUntil);
    } catch (error) {
      this.#context.onError(error);
    }
  }

  /** Forgets what this process keeps of the targets. */
  drop({ keys, tags }: Targets): void {
    this.#drops += 1;
    for (const key of keys) this.#local.delete(key);
    for (const tag of tags) this.#local.deleteTagged(tag);
  }

  dropAll(): void {
    this.#drops += 1;
    this.#local.clear();
  }

  #open(address: Address, { text, version }: Extract<Found, { kind: 'value' }>, drops: number): unknown {
    const { timing, serializer } = this.#context;
    try {
      const { value, freshUntil } = unseal(text, serializer);
      const left = freshUntil - timing.wallClock();
      if (left <= 0) return undefined;
      if (drops === this.#drops) this.#keep(address, value, version, timing.now() + left);
      return copyOf(value);
    } catch (error) {
      if (!(error instanceof ForeignEntryError)) throw error;
      this.#context.onError(error);
      return undefined;
    }
  }

  #keep({ key, tags }: Address, value: unknown, version: string, freshUntil: number): void {
    this.#local.set(key, { value, version, tags, bytes: sizeOf(value), freshUntil, keepUntil: freshUntil });
  }
}
