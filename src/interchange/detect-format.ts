import { ArchiveUnreadableError } from '../errors.js';
import { ARCHIVE_FORMATS, type ArchiveFormat, type ReadOptions } from './archive.js';
import { openArchive } from './archive-file.js';
import { isObject } from './fields.js';
import { parseRecord } from './parse-record.js';
import { splitRecords } from './raw-records.js';
import type { RawRecord } from './record-bytes.js';
import { Rejection } from './rejection.js';

/** The first records may be broken, or may have too little to tell by. */
const SAMPLE_SIZE = 100;

/**
 * Finds out the format of an archive from its first 100 records at most. A record that looks like `openai` or `documents` may still
 * be one of Colloquy's that has lost a field, so the rest of the sample decides.
 *
 * @throws ArchiveUnreadableError if the file cannot be read, holds no records, or none of the sample is of a known format.
 */
export async function detectFormat(path: string, options: Pick<ReadOptions, 'signal'> = {}): Promise<ArchiveFormat> {
  let likely: ArchiveFormat | undefined;
  let looked = 0;
  let problem: string | undefined;
  for await (const raw of splitRecords(openArchive(path, options))) {
    const { format, reason } = examine(raw);
    if (format !== undefined && format !== 'openai' && format !== 'documents') return format;
    likely ??= format;
    problem ??= reason && `line ${raw.line}: ${reason}`;
    looked++;
    if (looked === SAMPLE_SIZE) break;
  }
  if (likely !== undefined) return likely;
  if (looked === 0) throw new ArchiveUnreadableError(path, 'it holds no records');
  const formats = ARCHIVE_FORMATS.join(', ');
  throw new ArchiveUnreadableError(
    path,
    `its format is not known from its first records (${problem}); known formats are ${formats}, and --format can force one`,
  );
}

function examine(raw: RawRecord): { readonly format?: ArchiveFormat; readonly reason?: string } {
  if ('reason' in raw) return raw;
  try {
    const format = formatOf(parseRecord(raw.bytes));
    return format === undefined ? { reason: 'the record has the fields of no known format' } : { format };
  } catch (error) {
    if (error instanceof Rejection) return { reason: error.message };
    throw error;
  }
}

function formatOf(value: unknown): ArchiveFormat | undefined {
  if (!isObject(value)) return undefined;
  if (isObject(value['mapping'])) return 'chatgpt';
  if (Array.isArray(value['conversations']) || Array.isArray(value['items'])) return 'sharegpt';
  if (Array.isArray(value['messages'])) return 'source' in value && 'id' in value ? 'colloquy' : 'openai';
  if (value['kind'] === 'document') return 'colloquy';
  return 'title' in value && 'content' in value ? 'documents' : undefined;
}
