import type { EvictionStore, KeptEntry } from './eviction-store.js';
import type { LocalEntry } from './local-tier.js';

/** How far uses lift an entry above new ones; so many turnovers of all entries later it is gone if nobody uses it any more. */
const MAX_LEAD = 64;

interface Node {
  readonly key: string;
  entry: LocalEntry;
  level: Level;
  older: Node | undefined;
  newer: Node | undefined;
}

/** The entries of one rank, by the time of their last use. */
interface Level {
  readonly rank: number;
  oldest: Node | undefined;
  newest: Node | undefined;
  lower: Level | undefined;
  higher: Level | undefined;
}

/**
 * The least often used entry goes next; among several, the one whose last use is longest ago. Every step takes constant time by the
 * lists of K. Shah, A. Mitra and D. Matani, "An O(1) algorithm for implementing the LFU cache eviction scheme" (2010): entries of one
 * rank are a list, and the ranks are a list of these.
 *
 * What was popular long ago goes in the end, by dynamic ageing after M. Arlitt et al., "Evaluating content management techniques for
 * Web proxy caches" (2000): a new entry starts one above the rank of the last that went, not at 1, and a use lifts it by one. So ranks
 * never need halving, and no entry is below the last that went. An entry that is put in place of another keeps its rank, and that is a
 * use of it.
 */
export class FrequencyStore implements EvictionStore {
  readonly #nodes = new Map<string, Node>();
  #lowest: Level | undefined;
  /** The rank of the last entry that went to make room. */
  #floor = 0;

  get size(): number {
    return this.#nodes.size;
  }

  get(key: string): LocalEntry | undefined {
    const node = this.#nodes.get(key);
    if (node) this.#use(node);
    return node?.entry;
  }

  peek(key: string): LocalEntry | undefined {
    return this.#nodes.get(key)?.entry;
  }

  set(key: string, entry: LocalEntry): void {
    const node = this.#nodes.get(key);
    if (node) {
      node.entry = entry;
      this.#use(node);
      return;
    }
    const level = this.#newcomers();
    const added: Node = { key, entry, level, older: undefined, newer: undefined };
    this.#nodes.set(key, added);
    append(level, added);
  }

  delete(key: string): LocalEntry | undefined {
    const node = this.#nodes.get(key);
    if (!node) return undefined;
    this.#nodes.delete(key);
    this.#detach(node);
    return node.entry;
  }

  evict(): KeptEntry | undefined {
    const node = this.#lowest?.oldest;
    if (!node) return undefined;
    this.#floor = node.level.rank;
    this.delete(node.key);
    return node;
  }

  clear(): void {
    this.#nodes.clear();
    this.#lowest = undefined;
  }

  #use(node: Node): void {
    const { level } = node;
    const rank = Math.max(level.rank, Math.min(level.rank + 1, this.#floor + MAX_LEAD));
    const target = rank === level.rank ? level : this.#levelAbove(level, rank);
    append(target, this.#detach(node, target));
  }

  /** Where new entries go: no level is below the floor, so it is the lowest, the one above it, or a new one beside these. */
  #newcomers(): Level {
    const rank = this.#floor + 1;
    const lowest = this.#lowest;
    if (lowest?.rank === rank) return lowest;
    if (lowest && lowest.rank < rank) return this.#levelAbove(lowest, rank);
    return this.#link({ rank, oldest: undefined, newest: undefined, lower: undefined, higher: lowest });
  }

  #levelAbove(level: Level, rank: number): Level {
    const { higher } = level;
    if (higher?.rank === rank) return higher;
    return this.#link({ rank, oldest: undefined, newest: undefined, lower: level, higher });
  }

  #link(level: Level): Level {
    if (level.lower) level.lower.higher = level;
    else this.#lowest = level;
    if (level.higher) level.higher.lower = level;
    return level;
  }

  /** Takes a node out of its level, and the level out where it is empty then and nothing is about to come to it. */
  #detach(node: Node, target?: Level): Node {
    const { level, older, newer } = node;
    if (older) older.newer = newer;
    else level.oldest = newer;
    if (newer) newer.older = older;
    else level.newest = older;
    if (level.oldest === undefined && level !== target) {
      if (level.lower) level.lower.higher = level.higher;
      else this.#lowest = level.higher;
      if (level.higher) level.higher.lower = level.lower;
    }
    return node;
  }
}

function append(level: Level, node: Node): void {
  node.level = level;
  node.older = level.newest;
  node.newer = undefined;
  if (level.newest) level.newest.newer = node;
  else level.oldest = node;
  level.newest = node;
}
