import type { Command } from 'commander';
import { PersistenceManager } from '../../services/persistence-manager.js';
import type { CommandContext, CommandRunner } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { showStats } from '../show.js';

export function addStatsCommand(program: Command, run: CommandRunner): void {
  program
    .command('stats')
    .description('count the rows of each entity and the size of the database')
    .option('--tenant <slug>', 'count the rows of this tenant alone')
    .option('--json', 'print the result as JSON')
    .action((options: { tenant?: string; json?: boolean }) =>
      run((context) => stats(context, options.tenant), options.json),
    );
}

async function stats({ terminal }: CommandContext, slug: string | undefined): Promise<ExitCode> {
  await using persistence = await PersistenceManager.open();
  const result = await (slug === undefined ? persistence.stats() : persistence.tenant(slug).stats());
  showStats(terminal, result, slug === undefined ? 'It holds' : `Tenant ${slug} has`);
  terminal.result(slug === undefined ? result : { tenant: slug, ...result });
  return EXIT.success;
}
