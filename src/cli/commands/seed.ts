import type { Command } from 'commander';
import { SEED_DEFAULTS, type SeedOptions } from '../../seeders/seed-options.js';
import { PersistenceManager } from '../../services/persistence-manager.js';
import { type CommandContext, type CommandRunner, wholeNumber } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { showStats } from '../show.js';

export function addSeedCommand(program: Command, run: CommandRunner): void {
  program
    .command('seed')
    .description('fill the database with invented tenants, users and conversations')
    .option('--tenants <n>', 'how many tenants', wholeNumber(1), SEED_DEFAULTS.tenants)
    .option('--users <n>', 'how many users each tenant has', wholeNumber(0), SEED_DEFAULTS.users)
    .option('--conversations <n>', 'how many conversations each user has', wholeNumber(0), SEED_DEFAULTS.conversations)
    .option('--seed <n>', 'the same number gives the same rows', wholeNumber(0), SEED_DEFAULTS.seed)
    .option('--json', 'print the result as JSON')
    .action(({ json, ...options }: SeedOptions & { json?: boolean }) => run((context) => seed(context, options), json));
}

async function seed({ terminal, signal }: CommandContext, options: SeedOptions): Promise<ExitCode> {
  // What invents names takes a quarter of the time in which a command starts.
  const { DatabaseSeeder } = await import('../../seeders/database.seeder.js');
  await using persistence = await PersistenceManager.open();
  const progress = terminal.progress('seeding', options.tenants);
  const tenants: { slug: string; added: boolean }[] = [];
  const seeder = new DatabaseSeeder(options, (slug, added) => {
    tenants.push({ slug, added });
    progress.update(tenants.length, slug);
    signal.throwIfAborted();
  });
  try {
    await persistence.withEntityManager((em) => seeder.run(em));
  } finally {
    progress.stop();
  }
  for (const { slug, added } of tenants) {
    terminal.line(added ? `Tenant ${slug} added.` : `Tenant ${slug} is there already and was left as it is.`);
  }
  const stats = await persistence.stats();
  showStats(terminal, stats);
  terminal.result({ tenants, ...stats });
  return EXIT.success;
}
