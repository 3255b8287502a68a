import { hash } from 'node:crypto';
import type { ArchiveRecord } from './archive.js';
import { quote, Rejection } from './rejection.js';

const MAX_KEY_LENGTH = 100;

/** Remembers the keys of one file by their hashes, so that its memory grows with the number of records and not with their size. */
export class SeenRecords {
  readonly #lines = new Map<string, number>();

  /** @throws Rejection if a record with the same key came before. */
  add(record: ArchiveRecord, line: number): void {
    const key = record.kind === 'document' ? [record.externalId] : [record.source, record.id];
    const digest = hash('sha256', JSON.stringify(key), 'base64');
    const firstLine = this.#lines.get(digest);
    if (firstLine !== undefined) {
      const name = key.map((part) => quote(part, MAX_KEY_LENGTH)).join(' ');
      throw new Rejection(`duplicate of line ${firstLine}: ${record.kind} ${name}`);
    }
    this.#lines.set(digest, line);
  }
}
