import type { Command } from 'commander';
import type { MigrationState } from '../../database/migrator.js';
import { SchemaManager } from '../../services/schema-manager.js';
import type { CommandContext, CommandRunner } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { count, table } from '../terminal.js';

interface Check {
  readonly check: string;
  readonly verdict: 'pass' | 'fail' | 'skip';
  readonly detail: string;
}

const EXPLANATIONS: Readonly<Record<MigrationState, string>> = {
  applied: '',
  pending: 'not applied yet',
  changed: 'edited since it was applied',
  missing: 'applied, but unknown to this version of Colloquy',
};

export function addMigrateCommand(program: Command, run: CommandRunner): void {
  const migrate = program
    .command('migrate')
    .description('bring the schema of the database up or down, or see how it stands');
  migrate
    .command('up')
    .description('apply every pending migration, all or none')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) => run(up, options.json));
  migrate
    .command('down')
    .description('revert the last migration; what its tables hold is lost')
    .option('--to <name>', 'revert every migration after this one; 0 reverts all')
    .option('--json', 'print the result as JSON')
    .action((options: { to?: string; json?: boolean }) => run((context) => down(context, options.to), options.json));
  migrate
    .command('status')
    .description('list the migrations: applied and when, pending, changed since, or missing here')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) => run(status, options.json));
  migrate
    .command('check')
    .description('check migrations and tables; exit code 1 unless everything passes')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) => run(check, options.json));
}

async function up({ terminal }: CommandContext): Promise<ExitCode> {
  await using schema = await SchemaManager.open();
  terminal.line(`Database: ${schema.database}`);
  const applied = await schema.up();
  for (const name of applied) terminal.line(`  applied ${name}`);
  terminal.line(applied.length === 0 ? 'Nothing is pending.' : `${count(applied.length, 'migration')} applied.`);
  terminal.result({ database: schema.database, applied });
  return EXIT.success;
}

async function down({ terminal }: CommandContext, to: string | undefined): Promise<ExitCode> {
  await using schema = await SchemaManager.open();
  terminal.line(`Database: ${schema.database}`);
  const { exists, migrations } = await schema.status();
  if (to !== undefined && to !== '0' && !migrations.some(({ name, state }) => name === to && state !== 'pending')) {
    const applied = migrations.filter(({ state }) => state !== 'pending').map(({ name }) => name);
    terminal.refuse(
      `No migration ${JSON.stringify(to)} is applied here; applied are: ${applied.join(', ') || 'none'}.`,
    );
    return EXIT.usage;
  }
  const reverted = exists ? await schema.down(to) : [];
  for (const name of reverted) terminal.line(`  reverted ${name}`);
  terminal.line(reverted.length === 0 ? 'Nothing was applied.' : `${count(reverted.length, 'migration')} reverted.`);
  terminal.result({ database: schema.database, reverted });
  return EXIT.success;
}

async function status({ terminal }: CommandContext): Promise<ExitCode> {
  await using schema = await SchemaManager.open();
  const result = await schema.status();
  terminal.line(`Database: ${result.database}${result.exists ? '' : ' (does not exist yet)'}`);
  const rows = result.migrations.map(({ name, state, appliedAt }) => [
    `  ${name}`,
    state,
    [appliedAt?.toISOString() ?? '', EXPLANATIONS[state]].filter(Boolean).join('  '),
  ]);
  for (const line of table(rows)) terminal.line(line);
  const pending = result.migrations.filter(({ state }) => state === 'pending').length;
  if (pending > 0) terminal.line(`${count(pending, 'migration')} pending. Apply with "colloquy migrate up".`);
  terminal.result(result);
  return EXIT.success;
}

async function check({ terminal }: CommandContext): Promise<ExitCode> {
  await using schema = await SchemaManager.open();
  const { exists, migrations } = await schema.status();
  const named = (state: MigrationState) => migrations.filter((entry) => entry.state === state).map(({ name }) => name);
  const checks: Check[] = [
    none('no migration is pending', named('pending'), 'run "colloquy migrate up"'),
    none('no migration was changed since it was applied', named('changed'), 'restore the files'),
    none('no migration is missing here', named('missing'), 'use a newer version of Colloquy'),
  ];
  if (checks.every(({ verdict }) => verdict === 'pass')) {
    const differences = await schema.differences();
    const detail = differences.join('; ');
    checks.push({ check: 'the tables are what the entities describe', verdict: detail ? 'fail' : 'pass', detail });
  } else {
    checks.push({
      check: 'the tables are what the entities describe',
      verdict: 'skip',
      detail: exists ? 'only asked when the migrations agree' : 'the database does not exist yet',
    });
  }
  terminal.line(`Database: ${schema.database}`);
  for (const line of table(checks.map((entry) => [`  ${entry.verdict}`, entry.check, entry.detail])))
    terminal.line(line);
  terminal.result({ database: schema.database, checks });
  return checks.every(({ verdict }) => verdict === 'pass') ? EXIT.success : EXIT.findings;
}

function none(title: string, names: readonly string[], advice: string): Check {
  const passes = names.length === 0;
  return { check: title, verdict: passes ? 'pass' : 'fail', detail: passes ? '' : `${names.join(', ')}: ${advice}` };
}
