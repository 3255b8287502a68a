import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Command, CommanderError } from 'commander';
import { configuredLanguage } from '../config.js';
import { ArchiveRejectedError, ColloquyError, ConfigurationError, ValidationError } from '../errors.js';
import { parseJson } from '../json.js';
import type { CommandContext } from './command-context.js';
import { addCacheCommand } from './commands/cache.js';
import { addCopyCommand } from './commands/copy.js';
import { addDemoCommand } from './commands/demo.js';
import { addDistributeCommand } from './commands/distribute.js';
import { addExportCommand } from './commands/export.js';
import { addHistoryCommand } from './commands/history.js';
import { addImportCommand } from './commands/import.js';
import { addMigrateCommand } from './commands/migrate.js';
import { addSearchCommand } from './commands/search.js';
import { addSeedCommand } from './commands/seed.js';
import { addStatsCommand } from './commands/stats.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { Terminal } from './terminal.js';

const HELP = `
The database is the one that DATABASE_URL names, sqlite:./colloquy.sqlite unless set:
  sqlite:PATH                      a file, made when it does not exist
  sqlite:PATH?durable=true         every commit reaches the disk, at the cost of speed
  sqlite:PATH?busyTimeout=MS       how long to wait for another process's lock (5000)
  postgresql://USER@HOST/DATABASE  a server; DATABASE_HOST, DATABASE_USER, DATABASE_PASSWORD and so on say it too

REDIS_URL names the Redis that several processes cache in; without it each caches in its own memory. COLLOQUY_CACHE=off caches nothing.

Exit codes:
  0  done
  1  done, with findings: records were left out, a check did not pass, or a copy differs
  2  the arguments or the configuration are wrong
  3  not done: a file or the database could not be read or written, or there is no such row
  130  interrupted; what was committed before stays

Examples:
  colloquy import chats.jsonl.gz --tenant acme
  colloquy history star:42 --last 10
  colloquy search refund policy --tenant acme
  colloquy stats --tenant acme --json
  colloquy export --tenant acme --out acme.jsonl.gz
  colloquy copy --from sqlite:./colloquy.sqlite --to postgresql://app@db.example/app
`;

/** Runs the command line and returns its exit code. */
export async function runCommandLine(argv: readonly string[], signal: AbortSignal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.success;
  const run = async (work: (context: CommandContext) => Promise<ExitCode>, json = false): Promise<void> => {
    const terminal = new Terminal(json);
    try {
      exitCode = await work({ terminal, signal });
    } catch (error) {
      exitCode = reportFailure(terminal, error, signal);
    }
  };
  const program = new Command('colloquy')
    .description('The command line of Colloquy, the domain repository layer for conversational-AI backends.')
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', HELP)
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride();
  for (const add of [
    addImportCommand,
    addExportCommand,
    addCopyCommand,
    addHistoryCommand,
    addSearchCommand,
    addStatsCommand,
    addCacheCommand,
    addMigrateCommand,
    addDistributeCommand,
    addSeedCommand,
    addDemoCommand,
  ]) {
    add(program, run);
  }
  inheritSettings(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.success : EXIT.usage;
  }
  return exitCode;
}

/** Commands made before the settings of their parent do not have them. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent).helpOption('--help', 'print this help');
    inheritSettings(command);
  }
}

function reportFailure(terminal: Terminal, error: unknown, signal: AbortSignal): ExitCode {
  if (signal.aborted) {
    terminal.remark('Interrupted. What was committed before stays; running the command again completes it.');
    return EXIT.interrupted;
  }
  if (!(error instanceof ColloquyError)) {
    // The system's errors, such as a full disk, speak for themselves; anything else is a defect, whose place matters.
    const isSystemError = error instanceof Error && 'syscall' in error;
    terminal.remark(`colloquy: ${isSystemError ? error.message : inspect(error)}`);
    return EXIT.failure;
  }
  terminal.remark(`colloquy: ${error.localize(configuredLanguage()).message}`);
  terminal.result({ error: error.toJSON() });
  if (error instanceof ArchiveRejectedError) return EXIT.findings;
  return error instanceof ConfigurationError || error instanceof ValidationError ? EXIT.usage : EXIT.failure;
}

function version(): string {
  const manifest: unknown = parseJson(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
