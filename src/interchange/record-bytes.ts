/** No record may be longer; it bounds the memory that a damaged or hostile file can take. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** The text of one record and the line (from 1) on which it begins, or the reason why there is none. */
export type RawRecord =
  { readonly line: number; readonly bytes: Buffer } | { readonly line: number; readonly reason: string };

/** Finds the records in the bytes of a file, given chunk by chunk. The records are views of the chunks where possible. */
export interface RecordSplitter {
  push(chunk: Buffer): RawRecord[];
  /** What is left when there are no more chunks. */
  end(): RawRecord[];
}

/** Gathers the bytes of one record across chunks. A record over the limit is not kept, only its length. */
export class RecordBytes {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > this.#limit) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  /** The record gathered so far; the next one begins. */
  take(line: number): RawRecord {
    const tooLong = this.#length > this.#limit;
    const [first, ...others] = this.#pieces;
    this.#pieces = [];
    this.#length = 0;
    if (tooLong) return { line, reason: `the record is longer than ${this.#limit / 1024 / 1024} MiB` };
    if (first !== undefined && others.length === 0) return { line, bytes: first };
    return { line, bytes: Buffer.concat(first === undefined ? [] : [first, ...others]) };
  }
}
