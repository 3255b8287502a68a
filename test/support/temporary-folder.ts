import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The path of a database file that does not exist yet. */
export function temporaryFile(name = 'colloquy.sqlite'): string {
  return join(temporaryFolder(), name);
}

/** The URL of a database file that does not exist yet. */
export function temporaryUrl(): string {
  return `sqlite:${temporaryFile()}`;
}
