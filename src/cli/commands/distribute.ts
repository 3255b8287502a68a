import type { Command } from 'commander';
import type { DistributionStep } from '../../database/engine.js';
import { SchemaManager } from '../../services/schema-manager.js';
import { type CommandContext, type CommandRunner, wholeNumber } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { count, type Progress } from '../terminal.js';

interface DistributeCommandOptions {
  readonly shards?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addDistributeCommand(program: Command, run: CommandRunner): void {
  program
    .command('distribute')
    .description('spread a PostgreSQL database that has the extension Citus over the nodes of its cluster, in place')
    .option('--shards <n>', 'how many parts the tables are split into (32, or what Citus is set to)', wholeNumber(1))
    .option('--dry-run', 'print what would be done, and do nothing')
    .option('--json', 'print the result as JSON')
    .action((options: DistributeCommandOptions) => run((context) => distribute(context, options), options.json));
}

async function distribute(context: CommandContext, options: DistributeCommandOptions): Promise<ExitCode> {
  const { terminal } = context;
  await using schema = await SchemaManager.open();
  terminal.line(`Database: ${schema.database}`);
  const dryRun = options.dryRun ?? false;
  const steps = await (dryRun ? schema.distributionPlan(options) : withProgress(context, schema, options.shards));
  for (const { what, object, statements } of steps) {
    terminal.line(`  ${what}: ${object}`);
    if (dryRun) for (const statement of statements) terminal.line(`    ${statement};`);
  }
  if (steps.length === 0) terminal.line('Everything is distributed.');
  else terminal.line(`${count(steps.length, 'step')} ${dryRun ? 'to do' : 'done'}.`);
  terminal.result({ database: schema.database, dryRun, steps });
  return EXIT.success;
}

async function withProgress(
  { terminal, signal }: CommandContext,
  schema: SchemaManager,
  shards: number | undefined,
): Promise<readonly DistributionStep[]> {
  let bar: Progress | undefined;
  try {
    return await schema.distribute({
      shards,
      signal,
      onStep: ({ what, object }, done, total) => {
        bar ??= terminal.progress('distributing', total);
        bar.update(done, `${what} ${object}`);
      },
    });
  } finally {
    bar?.stop();
  }
}
