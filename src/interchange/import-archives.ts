import { stat } from 'node:fs/promises';
import { ArchiveRejectedError } from '../errors.js';
import type { TenantContext } from '../services/tenant-context.js';
import type { ArchiveFormat } from './archive.js';
import { verifyArchive } from './archive-file.js';
import { detectFormat } from './detect-format.js';
import { readArchive } from './read-archive.js';
import { type BatchResult, type ImportCounts, noCounts, type NumberedRecord, storeBatch } from './store-batch.js';

/** How far an import is. */
export interface ImportProgress {
  readonly file: string;
  /** Bytes of all files that are read, and of all files together, as they lie on disk. */
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly counts: ImportCounts;
}

/** A record that was left out: the file, the line on which it begins, and the reason. */
export interface ImportRejection {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

export interface ImportOptions {
  /** Reads every file as this format; each is detected unless given. */
  readonly format?: ArchiveFormat | undefined;
  /** Stops at the first record that cannot be taken and leaves the database as it was; false unless given. */
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
  /** Called for every record that is left out; the report only counts them. */
  readonly onRejected?: ((rejection: ImportRejection) => void) | undefined;
}

export interface ImportReport {
  readonly files: readonly { readonly file: string; readonly format: ArchiveFormat; readonly counts: ImportCounts }[];
  readonly total: ImportCounts;
}

/** About this many rows go into one transaction. */
const BATCH_ROWS = 1_000;
/** And no more than this many characters of content, or this many records: their keys are looked up by one statement. */
const BATCH_CHARACTERS = 1_000_000;
const BATCH_RECORDS = 500;

/** An archive that was looked over to its end: it is there, whole, and of this format. */
export interface VerifiedArchive {
  readonly file: string;
  readonly format: ArchiveFormat;
  /** As it lies on disk. */
  readonly bytes: number;
}

/**
 * Looks files over to their ends, so that an import finds none of them missing or truncated when it is half done.
 *
 * @throws ArchiveUnreadableError for the first one that cannot be read or whose format is not known.
 */
export async function verifyArchives(
  files: readonly string[],
  options: Pick<ImportOptions, 'format' | 'signal'> = {},
): Promise<VerifiedArchive[]> {
  const archives: VerifiedArchive[] = [];
  for (const file of files) {
    await verifyArchive(file, withSignal(options.signal));
    const format = options.format ?? (await detectFormat(file, withSignal(options.signal)));
    archives.push({ file, format, bytes: (await stat(file)).size });
  }
  return archives;
}

/**
 * Imports archives into a tenant, in batches of one transaction, in memory that does not grow with the files. Files are verified
 * before the first row is written, so a missing or truncated one writes nothing. A conversation is stored whole or left out whole;
 * one whose key is there already is left as it is, so importing again adds nothing.
 *
 * @param archives Files, or what {@link verifyArchives} made of them.
 * @throws ArchiveUnreadableError, ArchiveRejectedError when strict, the signal's reason when it is aborted (batches that were
 *   committed before stay, unless strict), and the errors of the database.
 */
export async function importArchives(
  tenant: TenantContext,
  archives: readonly string[] | readonly VerifiedArchive[],
  options: ImportOptions = {},
): Promise<ImportReport> {
  const verified = isVerified(archives) ? archives : await verifyArchives(archives, options);
  // One a run: a unit of work may be run again.
  const importAll = () => new ImportRun(tenant, options, verified).importAll();
  // The batches' units of work join a unit of work around them.
  return options.strict ? tenant.transaction(importAll) : importAll();
}

function isVerified(archives: readonly string[] | readonly VerifiedArchive[]): archives is readonly VerifiedArchive[] {
  return typeof archives[0] === 'object';
}

class ImportRun {
  readonly total = noCounts();
  readonly #tenant: TenantContext;
  readonly #options: ImportOptions;
  readonly #archives: readonly VerifiedArchive[];
  readonly #bytesTotal: number;
  #bytesBefore = 0;

  constructor(tenant: TenantContext, options: ImportOptions, archives: readonly VerifiedArchive[]) {
    this.#tenant = tenant;
    this.#options = options;
    this.#archives = archives;
    this.#bytesTotal = archives.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async importAll(): Promise<ImportReport> {
    const files = [];
    for (const archive of this.#archives) {
      files.push({ file: archive.file, format: archive.format, counts: await this.#importFile(archive) });
      this.#bytesBefore += archive.bytes;
      this.#report(archive.file, 0);
    }
    return { files, total: this.total };
  }

  async #importFile({ file, format }: VerifiedArchive): Promise<ImportCounts> {
    const counts = noCounts();
    let bytesRead = 0;
    let batch: NumberedRecord[] = [];
    let weight = emptyWeight();
    // While a batch is on its way to the database, the next one is read.
    let stored = Promise.resolve();
    const store = async (): Promise<void> => {
      await stored;
      if (batch.length === 0) return;
      stored = this.#store(file, counts, batch, bytesRead);
      // Its error is thrown where it is waited for; until then it is not one that nobody handles.
      stored.catch(() => undefined);
      batch = [];
      weight = emptyWeight();
    };
    const entries = readArchive(file, {
      format,
      ...withSignal(this.#options.signal),
      onProgress: (bytes) => (bytesRead = bytes),
    });
    try {
      for await (const entry of entries) {
        if ('reason' in entry) {
          this.#account(file, counts, { counts: { ...noCounts(), rejected: 1 }, rejected: [entry] });
          continue;
        }
        batch.push(entry);
        weigh(weight, entry);
        if (isFull(weight)) await store();
      }
      await store();
    } finally {
      // Nothing is written any more when the import has ended, however it has.
      await stored;
    }
    return counts;
  }

  async #store(file: string, counts: ImportCounts, batch: readonly NumberedRecord[], bytesRead: number): Promise<void> {
    const result = await this.#tenant.transaction((unit) => storeBatch(unit, batch));
    this.#account(file, counts, result);
    this.#report(file, bytesRead);
  }

  #report(file: string, bytesOfFile: number): void {
    const bytesRead = this.#bytesBefore + bytesOfFile;
    this.#options.onProgress?.({ file, bytesRead, bytesTotal: this.#bytesTotal, counts: this.total });
  }

  #account(file: string, counts: ImportCounts, result: BatchResult): void {
    for (const { line, reason } of result.rejected) {
      if (this.#options.strict) throw new ArchiveRejectedError(file, line, reason);
      this.#options.onRejected?.({ file, line, reason });
    }
    add(counts, result.counts);
    add(this.total, result.counts);
  }
}

interface Weight {
  records: number;
  rows: number;
  characters: number;
}

function emptyWeight(): Weight {
  return { records: 0, rows: 0, characters: 0 };
}

function weigh(weight: Weight, { record }: NumberedRecord): void {
  weight.records += 1;
  if (record.kind === 'document') {
    weight.rows += 1;
    weight.characters += record.content.length;
    return;
  }
  weight.rows += 1 + record.messages.length;
  for (const { content } of record.messages) weight.characters += content.length;
}

function isFull({ records, rows, characters }: Weight): boolean {
  return records >= BATCH_RECORDS || rows >= BATCH_ROWS || characters >= BATCH_CHARACTERS;
}

function add(sum: ImportCounts, counts: ImportCounts): void {
  sum.conversations.added += counts.conversations.added;
  sum.conversations.present += counts.conversations.present;
  sum.documents.added += counts.documents.added;
  sum.documents.present += counts.documents.present;
  sum.messages += counts.messages;
  sum.voiceSessions += counts.voiceSessions;
  sum.users += counts.users;
  sum.rejected += counts.rejected;
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
