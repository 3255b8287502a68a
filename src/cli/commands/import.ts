import { type Command, Option } from 'commander';
import { ARCHIVE_FORMATS, type ArchiveFormat } from '../../interchange/archive.js';
import {
  importArchives,
  type ImportRejection,
  type ImportReport,
  type VerifiedArchive,
  verifyArchives,
} from '../../interchange/import-archives.js';
import type { ImportCounts } from '../../interchange/store-batch.js';
import { PersistenceManager } from '../../services/persistence-manager.js';
import type { TenantContext } from '../../services/tenant-context.js';
import type { CommandContext, CommandRunner } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { count } from '../terminal.js';

interface ImportCommandOptions {
  readonly tenant: string;
  readonly format?: ArchiveFormat;
  readonly strict?: boolean;
  readonly json?: boolean;
}

export function addImportCommand(program: Command, run: CommandRunner): void {
  program
    .command('import')
    .description('import conversations and documents; what is there already is left as it is')
    .argument('<files...>', 'archives, plain or gzip')
    .requiredOption('--tenant <slug>', 'the tenant to import into; made if there is none')
    .addOption(
      new Option('--format <format>', 'read every file as this format; detected unless given').choices(ARCHIVE_FORMATS),
    )
    .option('--strict', 'stop at the first bad record and leave the database as it was')
    .option('--json', 'print the result as JSON')
    .action((files: string[], options: ImportCommandOptions) =>
      run((context) => importFiles(context, files, options), options.json),
    );
}

async function importFiles(context: CommandContext, files: string[], options: ImportCommandOptions): Promise<ExitCode> {
  const { tenant: slug, ...rest } = options;
  // Before the database is opened: a file that cannot be read shall not even make one.
  const archives = await verifyArchives(files, { ...rest, signal: context.signal });
  await using persistence = await PersistenceManager.open();
  const importAll = async () => {
    await persistence.tenants.ensure({ slug, name: slug });
    return importWithProgress(context, persistence.tenant(slug), archives, rest);
  };
  const { report, rejections } = await (options.strict ? persistence.transaction(importAll) : importAll());
  context.terminal.result({ tenant: slug, ...report, rejections });
  return report.total.rejected > 0 ? EXIT.findings : EXIT.success;
}

/** How many rejections `--json` carries; all of them are counted, and printed as they are met. */
const REJECTIONS_KEPT = 1_000;

/** Imports with a bar on a terminal, names each record that is left out, and sums up. */
export async function importWithProgress(
  { terminal, signal }: CommandContext,
  tenant: TenantContext,
  archives: readonly VerifiedArchive[],
  options: { readonly format?: ArchiveFormat; readonly strict?: boolean } = {},
): Promise<{ readonly report: ImportReport; readonly rejections: readonly ImportRejection[] }> {
  const rejections: ImportRejection[] = [];
  let bar: ReturnType<typeof terminal.progress> | undefined;
  try {
    const report = await importArchives(tenant, archives, {
      ...options,
      signal,
      onProgress: ({ bytesRead, bytesTotal, counts }) => {
        bar ??= terminal.progress('importing', bytesTotal);
        bar.update(bytesRead, count(counts.messages, 'message'));
      },
      onRejected: (rejection) => {
        if (rejections.length < REJECTIONS_KEPT) rejections.push(rejection);
        terminal.remark(`${rejection.file}:${String(rejection.line)}: left out: ${rejection.reason}`);
      },
    });
    bar?.stop();
    for (const { file, format, counts } of report.files)
      terminal.line(`${file} (${format}): ${describeCounts(counts)}`);
    if (report.files.length > 1) terminal.line(`Together: ${describeCounts(report.total)}`);
    return { report, rejections };
  } finally {
    bar?.stop();
  }
}

function describeCounts(counts: ImportCounts): string {
  const { conversations, documents } = counts;
  const added = [
    conversations.added + conversations.present > 0 || documents.added + documents.present === 0
      ? `${count(conversations.added, 'conversation')} with ${count(counts.messages, 'message')}` +
        (counts.voiceSessions > 0 ? ` and ${count(counts.voiceSessions, 'voice session')}` : '')
      : '',
    documents.added + documents.present > 0 ? count(documents.added, 'document') : '',
  ].filter(Boolean);
  const present = conversations.present + documents.present;
  return [
    `${added.join(' and ')} added`,
    present > 0 ? `${count(present)} there already` : '',
    counts.rejected > 0 ? `${count(counts.rejected)} left out` : '',
  ]
    .filter(Boolean)
    .join(', ');
}
