/** Which keys have a tag. It holds a tag exactly as long as some key has it. */
export class TagIndex {
  readonly #keys = new Map<string, Set<string>>();

  /** How many tags there are. */
  get size(): number {
    return this.#keys.size;
  }

  /** The keys that have a tag, as they are now. */
  keysOf(tag: string): string[] {
    return [...(this.#keys.get(tag) ?? [])];
  }

  add(key: string, tags: readonly string[]): void {
    for (const tag of tags) {
      const keys = this.#keys.get(tag);
      if (keys) keys.add(key);
      else this.#keys.set(tag, new Set([key]));
    }
  }

  remove(key: string, tags: readonly string[]): void {
    for (const tag of tags) {
      const keys = this.#keys.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) this.#keys.delete(tag);
    }
  }

  clear(): void {
    this.#keys.clear();
  }
}
