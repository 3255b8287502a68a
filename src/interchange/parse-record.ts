import { parseJson } from '../json.js';
import { Rejection } from './rejection.js';

/** Deeper values cannot be written again by `JSON.stringify` and by databases without running out of stack. */
const MAX_DEPTH = 256;

/** Takes a byte order mark off each record, since files that have one get joined to others. */
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses the text of one record.
 *
 * @throws Rejection if it is not UTF-8, is not JSON, or is nested too deeply. The text itself is not repeated in the reason.
 */
export function parseRecord(bytes: Buffer): unknown {
  const value = parse(decode(bytes));
  if (isDeeperThan(MAX_DEPTH, value)) throw new Rejection(`the record is nested more than ${MAX_DEPTH} levels deep`);
  return value;
}

function decode(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Rejection('the record is not valid UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    // The parser's own message quotes the text.
    throw new Rejection('the record is not valid JSON');
  }
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}
