import type { EvictionStore, KeptEntry } from './eviction-store.js';
import type { LocalEntry } from './local-tier.js';

interface Node {
  readonly key: string;
  readonly entry: LocalEntry;
  /** Which store this was; of two that expire together, the one that was stored first goes first. */
  readonly turn: number;
  /** Its place in the heap. */
  place: number;
}

/**
 * The entry whose `keepUntil` comes first goes next; reads change nothing. A binary heap with the place of every node, so that an
 * entry is added or taken out in logarithmic time (J. W. J. Williams, "Algorithm 232: Heapsort", 1964).
 */
export class ExpiryStore implements EvictionStore {
  readonly #nodes = new Map<string, Node>();
  readonly #heap: Node[] = [];
  #turns = 0;

  get size(): number {
    return this.#heap.length;
  }

  get(key: string): LocalEntry | undefined {
    return this.#nodes.get(key)?.entry;
  }

  peek(key: string): LocalEntry | undefined {
    return this.#nodes.get(key)?.entry;
  }

  set(key: string, entry: LocalEntry): void {
    this.delete(key);
    this.#turns += 1;
    const node: Node = { key, entry, turn: this.#turns, place: this.#heap.length };
    this.#nodes.set(key, node);
    this.#heap.push(node);
    this.#rise(node);
  }

  delete(key: string): LocalEntry | undefined {
    const node = this.#nodes.get(key);
    if (!node) return undefined;
    this.#nodes.delete(key);
    const last = this.#heap.pop();
    if (last && last !== node) {
      this.#put(last, node.place);
      this.#rise(last);
      this.#sink(last);
    }
    return node.entry;
  }

  evict(): KeptEntry | undefined {
    const first = this.#heap[0];
    if (first) this.delete(first.key);
    return first;
  }

  clear(): void {
    this.#nodes.clear();
    this.#heap.length = 0;
  }

  #rise(node: Node): void {
    for (let parent = this.#above(node); parent && isBefore(node, parent); parent = this.#above(node)) {
      const { place } = parent;
      this.#put(parent, node.place);
      this.#put(node, place);
    }
  }

  #sink(node: Node): void {
    for (let child = this.#below(node); child && isBefore(child, node); child = this.#below(node)) {
      const { place } = child;
      this.#put(child, node.place);
      this.#put(node, place);
    }
  }

  #above({ place }: Node): Node | undefined {
    return place === 0 ? undefined : this.#heap[(place - 1) >> 1];
  }

  /** The one of its two children that goes first. */
  #below({ place }: Node): Node | undefined {
    const left = this.#heap[2 * place + 1];
    const right = this.#heap[2 * place + 2];
    return left && right && isBefore(right, left) ? right : left;
  }

  #put(node: Node, place: number): void {
    node.place = place;
    this.#heap[place] = node;
  }
}

function isBefore(one: Node, other: Node): boolean {
  const difference = one.entry.keepUntil - other.entry.keepUntil;
  // Infinity from Infinity is no number.
  return difference < 0 || (!(difference > 0) && one.turn < other.turn);
}
