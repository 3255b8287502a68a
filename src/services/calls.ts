import type { Engine } from '../database/engine.js';
import {
  ColloquyError,
  DatabaseUnavailableError,
  localize,
  OutcomeUnknownError,
  PersistenceClosedError,
} from '../errors.js';
import type { Language } from '../messages/catalog.js';
import { repeatUnknown } from './repeat-unknown.js';

/** The calls of one manager that are under way, and what is told when one fails. */
export class Calls {
  readonly #engine: Engine;
  readonly #language: Language;
  readonly #random: () => number;
  #underWay = 0;
  #isClosed = false;
  #ended: (() => void) | undefined;

  /** @param random Gives a number from 0 to 1. */
  constructor(engine: Engine, language: Language, random: () => number) {
    this.#engine = engine;
    this.#language = language;
    this.#random = random;
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** @throws PersistenceClosedError */
  assertOpen(): void {
    if (this.#isClosed) throw new PersistenceClosedError();
  }

  /** Counts a call as under way; whoever says so says {@link end}, too. */
  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#ended?.();
  }

  /** Refuses new calls and resolves when those under way have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#ended = resolve));
  }

  translate(error: unknown): unknown {
    return this.#engine.translateError(error);
  }

  /** What the caller is told of an error, in his language. */
  told(error: unknown): unknown {
    return localize(this.translate(error), this.#language);
  }

  /** A read may have a transaction of its own, for the database to know the tenant; when its commit is lost, nothing is. */
  ofRead(error: unknown): unknown {
    const isRaw = !(error instanceof ColloquyError);
    if (!isRaw || !(this.translate(error) instanceof OutcomeUnknownError)) return error;
    return new DatabaseUnavailableError(this.#engine.description, 'the connection was lost', { cause: error });
  }

  /** Runs a write that may be committed twice until it is known what became of it. */
  async repeat<T>(run: () => Promise<T>): Promise<T> {
    return repeatUnknown(run, { translateError: (error) => this.translate(error), random: this.#random });
  }
}
