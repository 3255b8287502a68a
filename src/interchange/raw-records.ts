import { ElementSplitter } from './json-elements.js';
import { LineSplitter } from './lines.js';
import type { RawRecord, RecordSplitter } from './record-bytes.js';

/** Where neither a line feed nor a bracket has come by then, the layout is taken for lines. */
const MAX_HEAD_BYTES = 64 * 1024;

/** Finds the records of an archive, laid out as JSON lines, as one JSON array, or as one object over several lines. */
export async function* splitRecords(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawRecord, void, undefined> {
  let head: Buffer = Buffer.alloc(0);
  let splitter: RecordSplitter | undefined;
  for await (const chunk of chunks) {
    if (splitter !== undefined) {
      yield* splitter.push(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    splitter = splitterFor(head);
    if (splitter !== undefined) yield* splitter.push(head);
  }
  if (splitter === undefined) {
    splitter = new LineSplitter();
    yield* splitter.push(head);
  }
  yield* splitter.end();
}

/** Undefined if the head of the file is too short to tell. */
function splitterFor(head: Buffer): RecordSplitter | undefined {
  const text = head.toString('latin1', 0, MAX_HEAD_BYTES).trimStart();
  if (text.startsWith('[')) return new ElementSplitter();
  const endOfLine = text.indexOf('\n');
  if (endOfLine === -1) return head.length < MAX_HEAD_BYTES ? undefined : new LineSplitter();
  // A first line that stops after one of these goes on below; a line cut off by accident rarely stops there.
  const goesOn = /^\{(?:.*[{[,:])?$/.test(text.slice(0, endOfLine).trimEnd());
  return goesOn ? new ElementSplitter() : new LineSplitter();
}
