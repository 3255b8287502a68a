import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Command } from 'commander';
import { exportArchive, type ExportCounts } from '../../interchange/export-archive.js';
import { PersistenceManager } from '../../services/persistence-manager.js';
import type { CommandContext, CommandRunner } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { count } from '../terminal.js';

interface ExportCommandOptions {
  readonly tenant: string;
  readonly out?: string;
}

export function addExportCommand(program: Command, run: CommandRunner): void {
  program
    .command('export')
    .description('write the conversations and documents of a tenant as Colloquy JSON lines')
    .requiredOption('--tenant <slug>', 'the tenant')
    .option('--out <file>', 'write to this file, compressed if it ends in .gz; to standard output unless given')
    .action((options: ExportCommandOptions) => run((context) => exportTenant(context, options)));
}

async function exportTenant({ terminal, signal }: CommandContext, options: ExportCommandOptions): Promise<ExitCode> {
  await using persistence = await PersistenceManager.open();
  const tenant = persistence.tenant(options.tenant);
  const { rows } = await tenant.stats();
  const progress = terminal.progress('exporting', (rows['conversations'] ?? 0) + (rows['documents'] ?? 0));
  const onProgress = (counts: Readonly<ExportCounts>): void =>
    progress.update(counts.conversations + counts.documents, count(counts.messages, 'message'));
  try {
    const exportTo = (write: (line: string) => Promise<void>) => exportArchive(tenant, write, { signal, onProgress });
    const { out } = options;
    const counts = out === undefined ? await exportTo((line) => terminal.raw(line)) : await writeWhole(out, exportTo);
    progress.stop();
    const summary = `${count(counts.conversations, 'conversation')} with ${count(counts.messages, 'message')} and ${count(counts.documents, 'document')}`;
    terminal.remark(`${summary} exported${out === undefined ? '' : ` to ${out}`}.`);
    return EXIT.success;
  } finally {
    progress.stop();
  }
}

/** Writes beside the file and renames at the end, so that a file of that name is always a whole export. */
async function writeWhole<T>(
  path: string,
  produce: (write: (line: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const partial = `${path}.partial`;
  const file = createWriteStream(partial);
  const stream = path.endsWith('.gz') ? createGzip() : file;
  if (stream !== file) stream.pipe(file);
  // A failing file must fail the write that waits for room.
  const failure = new Promise<never>((_resolve, reject) => {
    file.once('error', reject);
    stream.once('error', reject);
  });
  failure.catch(() => {});
  try {
    const result = await produce(async (line) => {
      if (file.errored) throw file.errored;
      if (!stream.write(line)) await Promise.race([once(stream, 'drain'), failure]);
    });
    stream.end();
    await finished(file);
    await rename(partial, path);
    return result;
  } catch (error) {
    stream.destroy();
    file.destroy();
    await rm(partial, { force: true });
    throw error;
  }
}
