import { MAX_RECORD_BYTES, type RawRecord, RecordBytes, type RecordSplitter } from './record-bytes.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

type State = 'before' | 'between' | 'inside' | 'after';

/**
 * Splits a JSON array into the text of its elements without parsing them, so that one broken element does not cost the others.
 * A file of one object, or of several after each other, is taken as well; each object is an element then.
 *
 *     before  --[-->              between  (in an array)
 *     before  --anything else-->  inside   (not in an array)
 *     between --]-->              after    (in an array)
 *     between --anything else-->  inside
 *     inside  --, or ]-->         between or after, when no bracket or string of the element is open (in an array)
 *     inside  --} or ]-->         between, when that closed the element's first bracket (not in an array)
 *
 * A comma too many between elements loses nothing and is passed over.
 */
export class ElementSplitter implements RecordSplitter {
  readonly #element: RecordBytes;
  #state: State = 'before';
  #inArray = false;
  #inString = false;
  #escaped = false;
  #depth = 0;
  #line = 1;
  #firstLine = 1;
  #foundMore = false;

  constructor(limit: number = MAX_RECORD_BYTES) {
    this.#element = new RecordBytes(limit);
  }

  push(chunk: Buffer): RawRecord[] {
    const found: RawRecord[] = [];
    let start = 0;
    let position = -1;
    for (const byte of chunk) {
      position++;
      if (this.#state !== 'inside') {
        if (byte === NEWLINE) this.#line++;
        if (byte <= SPACE || !this.#begins(byte, found)) continue;
        start = position;
      }
      const end = this.#scan(byte, position);
      if (end === undefined) continue;
      this.#element.add(chunk.subarray(start, end));
      found.push(this.#element.take(this.#firstLine));
    }
    if (this.#state === 'inside') this.#element.add(chunk.subarray(start));
    return found;
  }

  end(): RawRecord[] {
    if (this.#state === 'inside' && (this.#depth > 0 || this.#inString)) {
      return [{ line: this.#firstLine, reason: 'the file ends inside the record that begins here' }];
    }
    const found = this.#state === 'inside' ? [this.#element.take(this.#firstLine)] : [];
    if (this.#inArray && this.#state !== 'after') {
      found.push({ line: this.#line, reason: 'the file ends before the closing bracket of its array' });
    }
    return found;
  }

  /** Takes a byte outside the elements; true if it is the first one of an element. */
  #begins(byte: number, found: RawRecord[]): boolean {
    if (this.#state === 'after') {
      if (!this.#foundMore) found.push({ line: this.#line, reason: 'there is more after the end of the array' });
      this.#foundMore = true;
      return false;
    }
    if (this.#state === 'before' && byte === OPENING_BRACKET) {
      this.#inArray = true;
      this.#state = 'between';
      return false;
    }
    if (this.#inArray && byte === CLOSING_BRACKET) {
      this.#state = 'after';
      return false;
    }
    if (byte === COMMA) return false;
    this.#firstLine = this.#line;
    this.#state = 'inside';
    return true;
  }

  /** Takes a byte of an element; the position where the element ends, if it does. */
  #scan(byte: number, position: number): number | undefined {
    if (byte === NEWLINE) this.#line++;
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return undefined;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) this.#depth++;
    else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) return this.#close(byte, position);
    else if (byte === COMMA && this.#depth === 0 && this.#inArray) {
      this.#state = 'between';
      return position;
    }
    return undefined;
  }

  #close(byte: number, position: number): number | undefined {
    if (this.#depth === 0 && byte === CLOSING_BRACKET && this.#inArray) {
      this.#state = 'after';
      return position;
    }
    if (this.#depth > 0) this.#depth--;
    if (this.#depth > 0 || this.#inArray) return undefined;
    this.#state = 'between';
    return position + 1;
  }
}
