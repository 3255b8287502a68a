import { MAX_RECORD_BYTES, type RawRecord, RecordBytes, type RecordSplitter } from './record-bytes.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;

/**
 * Splits JSON lines at line feeds and at nothing else: U+2028, U+2029 and U+0085 may stand inside a JSON string, and a carriage
 * return before the line feed is white space to JSON. Blank lines are counted and passed over.
 */
export class LineSplitter implements RecordSplitter {
  readonly #record: RecordBytes;
  #line = 1;

  constructor(limit: number = MAX_RECORD_BYTES) {
    this.#record = new RecordBytes(limit);
  }

  push(chunk: Buffer): RawRecord[] {
    const found: RawRecord[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#record.add(chunk.subarray(start, end));
      found.push(...this.end());
      this.#line++;
      start = end + 1;
    }
    if (start < chunk.length) this.#record.add(chunk.subarray(start));
    return found;
  }

  end(): RawRecord[] {
    const record = this.#record.take(this.#line);
    return 'bytes' in record && isBlank(record.bytes) ? [] : [record];
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte <= SPACE);
}
