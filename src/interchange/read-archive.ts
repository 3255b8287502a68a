import type { ArchiveEntry, ArchiveFormat, ArchiveRecord, ReadOptions } from './archive.js';
import { openArchive } from './archive-file.js';
import { readChatGpt } from './chatgpt-format.js';
import { readColloquy } from './colloquy-format.js';
import { ContentIds } from './content-ids.js';
import { detectFormat } from './detect-format.js';
import { readDocument } from './documents-format.js';
import { readOpenAi } from './openai-format.js';
import { parseRecord } from './parse-record.js';
import { splitRecords } from './raw-records.js';
import type { RawRecord } from './record-bytes.js';
import { Rejection } from './rejection.js';
import { SeenRecords } from './seen-records.js';
import { readShareGpt } from './sharegpt-format.js';

type RecordReader = (value: unknown, unnamed: () => string) => ArchiveRecord;

const READERS: Readonly<Record<ArchiveFormat, RecordReader>> = {
  colloquy: readColloquy,
  sharegpt: readShareGpt,
  openai: readOpenAi,
  chatgpt: readChatGpt,
  documents: readDocument,
};

/**
 * Reads an archive record by record, in the order of the file. A record that cannot be taken gives an entry with its line and the
 * reason, and the reading goes on; so does one whose key came before in the file. Memory does not grow with the size of the file,
 * except for about 100 bytes for each record's key.
 *
 * @throws ArchiveUnreadableError if the file cannot be read or its format is not known; the signal's reason when it is aborted.
 */
export async function* readArchive(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<ArchiveEntry, void, undefined> {
  const read = READERS[options.format ?? (await detectFormat(path, options))];
  const seen = new SeenRecords();
  const ids = new ContentIds();
  for await (const raw of splitRecords(openArchive(path, options))) {
    options.signal?.throwIfAborted();
    yield toEntry(raw, (value) => {
      const record = read(value, () => ids.next(value));
      seen.add(record, raw.line);
      return record;
    });
  }
}

function toEntry(raw: RawRecord, read: (value: unknown) => ArchiveRecord): ArchiveEntry {
  if ('reason' in raw) return raw;
  try {
    return { line: raw.line, record: read(parseRecord(raw.bytes)) };
  } catch (error) {
    if (error instanceof Rejection) return { line: raw.line, reason: error.message };
    throw error;
  }
}
