import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ArchiveEntry, ArchiveRecord, ReadOptions } from '../../src/interchange/archive.js';
import { readArchive } from '../../src/interchange/read-archive.js';

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-archive-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file that goes when the test ends. */
export function archiveFile(content: string | Buffer, name = 'archive'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

export function jsonLines(...values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

export async function readAll(path: string, options?: ReadOptions): Promise<ArchiveEntry[]> {
  return collect(readArchive(path, options));
}

export async function readText(content: string | Buffer, options?: ReadOptions): Promise<ArchiveEntry[]> {
  return readAll(archiveFile(content), options);
}

/** The only record of a file with this one value. */
export async function readOne(value: unknown, options?: ReadOptions): Promise<ArchiveRecord> {
  const [entry] = await readText(JSON.stringify(value), options);
  if (entry === undefined || 'reason' in entry) throw new Error(`no record: ${entry?.reason}`);
  return entry.record;
}

/** Why the only record of a file with this one value is not taken. */
export async function rejectionOf(value: unknown, options?: ReadOptions): Promise<string> {
  const [entry] = await readText(JSON.stringify(value), options);
  if (entry === undefined || 'record' in entry) throw new Error('the record was taken');
  return entry.reason;
}
