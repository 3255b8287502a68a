import type { Command } from 'commander';
import { PersistenceManager } from '../../services/persistence-manager.js';
import type { CommandContext, CommandRunner } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { showStats } from '../show.js';

interface StatsCommandOptions {
  readonly tenant?: string;
  readonly digest?: boolean;
  readonly json?: boolean;
}

export function addStatsCommand(program: Command, run: CommandRunner): void {
  program
    .command('stats')
    .description('count the rows of each entity and the size of the database')
    .option('--tenant <slug>', 'count the rows of this tenant alone')
    .option('--digest', "add one digest of all of the tenant's rows, the same on every engine; needs --tenant")
    .option('--json', 'print the result as JSON')
    .action((options: StatsCommandOptions) => run((context) => stats(context, options), options.json));
}

async function stats({ terminal, signal }: CommandContext, options: StatsCommandOptions): Promise<ExitCode> {
  const { tenant: slug, digest: withDigest = false } = options;
  if (withDigest && slug === undefined) {
    terminal.refuse('A digest is one of a tenant; name it with --tenant.');
    return EXIT.usage;
  }
  await using persistence = await PersistenceManager.open();
  if (slug === undefined) {
    const all = await persistence.stats();
    showStats(terminal, all);
    terminal.result(all);
    return EXIT.success;
  }
  const tenant = persistence.tenant(slug);
  const own = await tenant.stats();
  const digest = withDigest ? await tenant.digest({ signal }) : undefined;
  showStats(terminal, own, `Tenant ${slug} has`);
  if (digest !== undefined) terminal.line(`Digest: ${digest}`);
  terminal.result({ tenant: slug, ...own, ...(digest !== undefined && { digest }) });
  return EXIT.success;
}
