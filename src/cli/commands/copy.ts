import type { Command } from 'commander';
import { ConfigurationError } from '../../errors.js';
import type { CopyReport, TenantCopyReport } from '../../services/copy.js';
import { type OpenOptions, PersistenceManager } from '../../services/persistence-manager.js';
import type { CommandContext, CommandRunner } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { count } from '../terminal.js';

interface CopyCommandOptions {
  readonly from: string;
  readonly to: string;
  readonly tenant?: string;
  readonly json?: boolean;
}

export function addCopyCommand(program: Command, run: CommandRunner): void {
  program
    .command('copy')
    .description(
      'copy tenants to another database, of any engine, and compare both; run again, it completes an earlier copy',
    )
    .requiredOption('--from <url>', 'the database to copy; it is only read')
    .requiredOption('--to <url>', 'the database to copy to; made and migrated as needed')
    .option('--tenant <slug>', 'copy this tenant alone')
    .option('--json', 'print the result as JSON')
    .action((options: CopyCommandOptions) => run((context) => copy(context, options), options.json));
}

async function copy(context: CommandContext, options: CopyCommandOptions): Promise<ExitCode> {
  await using source = await open('--from', { databaseUrl: options.from, migrate: false });
  // Before the target is opened: a tenant that is not there shall not even make a database.
  if (options.tenant !== undefined) await source.tenants.get(options.tenant);
  await using target = await open('--to', { databaseUrl: options.to });
  const report = await copyWithProgress(context, source, target, options.tenant);
  const { terminal } = context;
  for (const tenant of report.tenants) terminal.line(describe(tenant));
  terminal.line(`${count(report.tenants.length, 'tenant')} copied from ${report.from} to ${report.to}.`);
  for (const { tenant, differences } of report.tenants)
    for (const { table, id, problem, properties } of differences)
      terminal.remark(
        `${tenant}: ${table} ${id} is ${problem}${properties.length > 0 ? ` (${properties.join(', ')})` : ''}`,
      );
  terminal.result(report);
  return report.tenants.every(({ isEqual }) => isEqual) ? EXIT.success : EXIT.findings;
}

async function copyWithProgress(
  { terminal, signal }: CommandContext,
  source: PersistenceManager,
  target: PersistenceManager,
  tenant: string | undefined,
): Promise<CopyReport> {
  let bar: ReturnType<typeof terminal.progress> | undefined;
  try {
    return await source.copyTo(target, {
      tenant,
      signal,
      onProgress: ({ tenant: slug, step, done, total }) => {
        bar ??= terminal.progress('copying', total);
        bar.update(done, `${step} ${slug}`);
      },
    });
  } finally {
    bar?.stop();
  }
}

/** Opens one end; what is wrong with its URL is said of the option that gave it. */
async function open(option: string, options: OpenOptions): Promise<PersistenceManager> {
  try {
    return await PersistenceManager.open(options);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(error.problems.map((problem) => problem.replaceAll('DATABASE_URL', option)));
  }
}

function describe({ tenant, rows, added, present, isEqual }: TenantCopyReport): string {
  const total = Object.values(rows).reduce((sum, number) => sum + number, 0);
  const parts = [
    `${count(added)} of ${count(total, 'row')} copied`,
    ...(present > 0 ? [`${count(present)} there already`] : []),
  ];
  return `${tenant}: ${parts.join(', ')}; ${isEqual ? 'both databases have the same' : 'THE TARGET DIFFERS'}`;
}
