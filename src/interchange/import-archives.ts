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

/**
 * Imports archives into a tenant, in batches of one transaction, in memory that does not grow with the files. Every file is looked
 * over to its end before the first row is written, so a missing or truncated one writes nothing. A conversation is stored whole or
 * left out whole; one whose key is there already is left as it is, so importing again adds nothing.
 *
 * @throws ArchiveUnreadableError, ArchiveRejectedError when strict, the signal's reason when it is aborted (batches that were
 *   committed before stay, unless strict), and the errors of the database.
 */
export async function importArchives(
  tenant: TenantContext,
  files: readonly string[],
  options: ImportOptions = {},
): Promise<ImportReport> {
  const sizes: number[] = [];
  const formats: ArchiveFormat[] = [];
  for (const file of files) {
    await verifyArchive(file, withSignal(options.signal));
    formats.push(options.format ?? (await detectFormat(file)));
    sizes.push((await stat(file)).size);
  }
  const run = new ImportRun(tenant, options, sizes);
  const importAll = async (): Promise<ImportReport> => {
    const reports = [];
    for (const [index, file] of files.entries()) {
      const format = formats[index] ?? 'colloquy';
      reports.push({ file, format, counts: await run.importFile(file, format) });
    }
    return { files: reports, total: run.total };
  };
  // The batches' units of work join this one.
  return options.strict ? tenant.transaction(importAll) : importAll();
}

class ImportRun {
  readonly total = noCounts();
  readonly #tenant: TenantContext;
  readonly #options: ImportOptions;
  readonly #bytesTotal: number;
  readonly #sizes: number[];
  #bytesBefore = 0;

  constructor(tenant: TenantContext, options: ImportOptions, sizes: number[]) {
    this.#tenant = tenant;
    this.#options = options;
    this.#sizes = [...sizes];
    this.#bytesTotal = sizes.reduce((sum, size) => sum + size, 0);
  }

  async importFile(file: string, format: ArchiveFormat): Promise<ImportCounts> {
    const counts = noCounts();
    let bytesRead = 0;
    let batch: NumberedRecord[] = [];
    let weight = emptyWeight();
    const report = (): void => {
      const progress = { file, bytesRead: this.#bytesBefore + bytesRead, bytesTotal: this.#bytesTotal };
      this.#options.onProgress?.({ ...progress, counts: this.total });
    };
    const store = async (): Promise<void> => {
      if (batch.length === 0) return;
      const records = batch;
      batch = [];
      weight = emptyWeight();
      const result = await this.#tenant.transaction((unit) => storeBatch(unit, records));
      this.#account(file, counts, result);
      report();
    };
    const entries = readArchive(file, {
      format,
      ...withSignal(this.#options.signal),
      onProgress: (bytes) => (bytesRead = bytes),
    });
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
    this.#bytesBefore += this.#sizes.shift() ?? 0;
    bytesRead = 0;
    report();
    return counts;
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
