import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/interchange/lines.js';

/** Each line with its number, the text given in chunks of so many bytes. */
function linesOf(text: string | Buffer, chunkBytes: number, limit?: number): [number, string][] {
  const bytes = Buffer.from(text);
  const splitter = new LineSplitter(limit);
  const records = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    records.push(...splitter.push(bytes.subarray(start, start + chunkBytes)));
  }
  records.push(...splitter.end());
  return records.map((record) => [record.line, 'bytes' in record ? record.bytes.toString() : record.reason]);
}

describe.each([1, 2, 3, 7, 1_000_000])('lines given in chunks of %d bytes', (chunkBytes) => {
  it('are numbered from 1, the last one with or without a line feed', () => {
    expect(linesOf('one\ntwo\n', chunkBytes)).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
    expect(linesOf('one\ntwo', chunkBytes)).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
  });

  it('end at line feeds only', () => {
    const line = '"a\u2028b\u2029c\u0085d\rе😀"';
    expect(linesOf(`${line}\n${line}\n`, chunkBytes)).toEqual([
      [1, line],
      [2, line],
    ]);
  });

  it('are counted but not given when they are blank', () => {
    expect(linesOf('\n \t\r\none\r\n\r\n\ntwo\n\n', chunkBytes)).toEqual([
      [3, 'one\r'],
      [6, 'two'],
    ]);
  });

  it('are reported when they are too long, and the next one is given', () => {
    expect(linesOf(`${'x'.repeat(11)}\n${'y'.repeat(10)}\n${'z'.repeat(40)}`, chunkBytes, 10)).toEqual([
      [1, expect.stringMatching(/^the record is longer than .* MiB$/)],
      [2, 'yyyyyyyyyy'],
      [3, expect.stringMatching(/^the record is longer than .* MiB$/)],
    ]);
  });
});
