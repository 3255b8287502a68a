import type { Load } from './fetcher.js';

type LoadMany<Name, Value> = (names: readonly Name[], signal: AbortSignal) => Promise<ReadonlyMap<Name, Value>>;

/** Several reads that load together whatever is to be loaded, as soon as each of them knows whether it is. */
export class LoadBatch<Name, Value> {
  readonly #loadMany: LoadMany<Name, Value>;
  readonly #asked: Name[] = [];
  readonly #loaded = Promise.withResolvers<ReadonlyMap<Name, Value>>();
  readonly #abort = new AbortController();
  #undecided: number;
  #hasBegun = false;

  constructor(members: number, loadMany: LoadMany<Name, Value>) {
    this.#undecided = members;
    this.#loadMany = loadMany;
    // Whoever has asked hears of it; nobody may have.
    this.#loaded.promise.catch(() => undefined);
  }

  /** One of the reads: what it loads by, and how it says that it loads nothing, or not now. */
  member(name: Name): { readonly load: Load<Value>; readonly decided: () => void } {
    let isUndecided = true;
    const decided = (): void => {
      if (!isUndecided) return;
      isUndecided = false;
      this.#undecided -= 1;
      if (this.#undecided === 0) void this.#begin();
    };
    const load: Load<Value> = async (signal) => {
      // The others did not wait for one that waited itself.
      if (this.#hasBegun) return (await this.#loadMany([name], signal)).get(name);
      signal.addEventListener('abort', () => this.#abort.abort(signal.reason), { once: true });
      this.#asked.push(name);
      decided();
      return (await this.#loaded.promise).get(name);
    };
    return { load, decided };
  }

  async #begin(): Promise<void> {
    this.#hasBegun = true;
    if (this.#asked.length === 0) return;
    try {
      this.#loaded.resolve(await this.#loadMany(this.#asked, this.#abort.signal));
    } catch (error) {
      this.#loaded.reject(error);
    }
  }
}
