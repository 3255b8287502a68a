import { describe, expect, it } from 'vitest';
import { ElementSplitter } from '../../src/interchange/json-elements.js';

/** Each element with the line it begins on, the text given in chunks of so many bytes. */
function elementsOf(text: string, chunkBytes: number, limit?: number): [number, string][] {
  const bytes = Buffer.from(text);
  const splitter = new ElementSplitter(limit);
  const records = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    records.push(...splitter.push(bytes.subarray(start, start + chunkBytes)));
  }
  records.push(...splitter.end());
  return records.map((record) => [record.line, 'bytes' in record ? record.bytes.toString().trim() : record.reason]);
}

describe.each([1, 2, 3, 7, 1_000_000])('elements given in chunks of %d bytes', (chunkBytes) => {
  it('are found with the line on which each begins', () => {
    const values = [{ a: [1, { b: '}],{[' }] }, '5" long, \\', 12, null, [[]], {}];
    const text = `\n${JSON.stringify(values, null, 2)}\n`;
    const found = elementsOf(text, chunkBytes);
    expect(found.map(([, element]) => JSON.parse(element) as unknown)).toEqual(values);
    expect(found.map(([line]) => line)).toEqual([3, 11, 12, 13, 14, 17]);
  });

  it('are found without any white space', () => {
    expect(elementsOf('[{"a":1},{"a":"é\\\\"},3]', chunkBytes)).toEqual([
      [1, '{"a":1}'],
      [1, '{"a":"é\\\\"}'],
      [1, '3'],
    ]);
  });

  it('are none in an empty array or an empty file', () => {
    expect(elementsOf(' [ \n ] \n', chunkBytes)).toEqual([]);
    expect(elementsOf(' \n', chunkBytes)).toEqual([]);
  });

  it('are given as they are when broken, and so is the next one', () => {
    expect(elementsOf('[{"a":oops},\n{"a":1}},\n{"a":"x\ny"},,\n{"a":2},]', chunkBytes)).toEqual([
      [1, '{"a":oops}'],
      [2, '{"a":1}}'],
      [3, '{"a":"x\ny"}'],
      [5, '{"a":2}'],
    ]);
  });

  it('are reported when the file ends inside one', () => {
    const reason = 'the file ends inside the record that begins here';
    expect(elementsOf('[{"a":1},\n{"a":\n[1', chunkBytes)).toEqual([
      [1, '{"a":1}'],
      [2, reason],
    ]);
    expect(elementsOf('[\n"ab', chunkBytes)).toEqual([[2, reason]]);
  });

  it('are followed by a report when the array is not closed', () => {
    const reason = 'the file ends before the closing bracket of its array';
    expect(elementsOf('[{"a":1},\n', chunkBytes)).toEqual([
      [1, '{"a":1}'],
      [2, reason],
    ]);
    expect(elementsOf('[{"a":1}\n', chunkBytes)).toEqual([
      [1, '{"a":1}'],
      [2, reason],
    ]);
    expect(elementsOf('[', chunkBytes)).toEqual([[1, reason]]);
  });

  it('are followed by one report when there is more after the array', () => {
    expect(elementsOf('[{}]\n\n, {"a":1}]\n{}', chunkBytes)).toEqual([
      [1, '{}'],
      [3, 'there is more after the end of the array'],
    ]);
  });

  it('are the objects themselves where there is no array', () => {
    expect(elementsOf('{\n "a": [1]\n}\n{\n "a": {}\n}\n', chunkBytes)).toEqual([
      [1, '{\n "a": [1]\n}'],
      [4, '{\n "a": {}\n}'],
    ]);
  });

  it('are reported when they are too long, and the next one is given', () => {
    expect(elementsOf('["xxxxxxxxx",\n"yyyyyyyy"]', chunkBytes, 10)).toEqual([
      [1, expect.stringMatching(/^the record is longer than .* MiB$/)],
      [2, '"yyyyyyyy"'],
    ]);
  });
});
