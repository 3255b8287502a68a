import type { Command } from 'commander';
import { PersistenceManager } from '../../services/persistence-manager.js';
import { type CommandContext, type CommandRunner, wholeNumber } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { printable } from '../show.js';
import { count } from '../terminal.js';

interface SearchCommandOptions {
  readonly tenant: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function addSearchCommand(program: Command, run: CommandRunner): void {
  program
    .command('search')
    .description('find the documents of a tenant in which every word of the query occurs, the best first')
    .argument('<query...>', 'words; those of three letters or more also find longer words that begin with them')
    .requiredOption('--tenant <slug>', 'the tenant')
    .option('--limit <n>', 'at most this many documents', wholeNumber(1), 20)
    .option('--json', 'print the result as JSON')
    .action((words: string[], options: SearchCommandOptions) =>
      run((context) => search(context, words.join(' '), options), options.json),
    );
}

async function search({ terminal }: CommandContext, query: string, options: SearchCommandOptions): Promise<ExitCode> {
  await using persistence = await PersistenceManager.open();
  const { limit } = options;
  // The marks of HTML are for programs.
  const marks = terminal.json ? {} : { highlight: ['[', ']'] as const };
  const hits = await persistence.tenant(options.tenant).documents.search(query, { limit, ...marks });
  for (const [index, { document, snippet }] of hits.entries()) {
    const number = String(index + 1).padStart(4);
    terminal.line(printable(`${number}  ${document.title} (${document.externalId})`));
    terminal.line(`      ${printable(snippet)}`);
  }
  const more = hits.length === limit ? '; there may be more' : '';
  terminal.line(`  (${count(hits.length, 'document')} of tenant ${options.tenant}${more})`);
  terminal.result({ tenant: options.tenant, query, hits });
  return EXIT.success;
}
