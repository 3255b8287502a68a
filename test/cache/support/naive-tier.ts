import type { Eviction, LocalEntry, LocalLimits } from '../../../src/cache/local-tier.js';

interface Kept {
  readonly key: string;
  entry: LocalEntry;
  stored: number;
  used: number;
  rank: number;
}

/** By what the entries are in the order in which they go: the first difference decides. */
const ORDERS: Readonly<Record<Eviction, (kept: Kept) => readonly [number, number]>> = {
  lru: ({ used }) => [used, 0],
  fifo: ({ stored }) => [stored, 0],
  lfu: ({ rank, used }) => [rank, used],
  ttl: ({ entry, stored }) => [entry.keepUntil, stored],
};

/** What a local tier does, said as simply as possible: a list that is sorted and searched from end to end for everything. */
export class NaiveTier {
  evictions = 0;
  #kept: Kept[] = [];
  #turns = 0;
  #floor = 0;

  constructor(
    private readonly eviction: Eviction,
    private readonly limits: LocalLimits,
  ) {}

  get size(): number {
    return this.#kept.length;
  }

  get bytes(): number {
    return this.#kept.reduce((sum, { entry }) => sum + entry.bytes, 0);
  }

  get tags(): number {
    return new Set(this.#kept.flatMap(({ entry }) => entry.tags)).size;
  }

  get(key: string, now: number): LocalEntry | undefined {
    const kept = this.#find(key);
    if (kept && kept.entry.keepUntil <= now) this.delete(key);
    if (!kept || kept.entry.keepUntil <= now) return undefined;
    this.#use(kept);
    return kept.entry;
  }

  set(key: string, entry: LocalEntry): void {
    if (entry.bytes > this.limits.maxBytes) {
      this.delete(key);
      return;
    }
    while (this.#isTooMuch(key, entry)) this.#evict(key);
    const kept = this.#find(key);
    if (kept) {
      kept.entry = entry;
      this.#use(kept);
      kept.stored = this.#turns;
    } else {
      this.#turns += 1;
      this.#kept.push({ key, entry, stored: this.#turns, used: this.#turns, rank: this.#floor + 1 });
    }
  }

  delete(key: string): boolean {
    const before = this.size;
    this.#kept = this.#kept.filter((kept) => kept.key !== key);
    return this.size < before;
  }

  deleteTagged(tag: string): number {
    const before = this.size;
    this.#kept = this.#kept.filter(({ entry }) => !entry.tags.includes(tag));
    return before - this.size;
  }

  clear(): void {
    this.#kept = [];
  }

  #find(key: string): Kept | undefined {
    return this.#kept.find((kept) => kept.key === key);
  }

  #use(kept: Kept): void {
    this.#turns += 1;
    kept.used = this.#turns;
    if (kept.rank < this.#floor + 64) kept.rank += 1;
  }

  #isTooMuch(key: string, { bytes }: LocalEntry): boolean {
    const others = this.#kept.filter((kept) => kept.key !== key);
    const sum = others.reduce((total, { entry }) => total + entry.bytes, bytes);
    return others.length + 1 > this.limits.maxEntries || sum > this.limits.maxBytes;
  }

  #evict(newcomer: string): void {
    const order = ORDERS[this.eviction];
    const [next] = this.#kept.toSorted((one, other) => {
      const [[a, b], [c, d]] = [order(one), order(other)];
      return a - c || b - d;
    });
    if (!next) throw new Error('There is nothing to evict');
    this.#floor = next.rank;
    this.delete(next.key);
    if (next.key !== newcomer) this.evictions += 1;
  }
}
