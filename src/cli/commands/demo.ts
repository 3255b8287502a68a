import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { verifyArchives } from '../../interchange/import-archives.js';
import { PersistenceManager } from '../../services/persistence-manager.js';
import type { CommandContext, CommandRunner } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { printable, showMessages, showStats } from '../show.js';
import { importWithProgress } from './import.js';

const TENANT = 'demo';
const LAST = 6;
const SAMPLE = ['conversations.jsonl', 'documents.jsonl'].map((name) =>
  fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)),
);

export function addDemoCommand(program: Command, run: CommandRunner): void {
  program
    .command('demo')
    .description(`import a sample archive, or your own files, into the tenant "${TENANT}" and show what came of it`)
    .argument('[files...]', 'archives; the sample unless given')
    .action((files: string[]) => run((context) => demo(context, files)));
}

async function demo(context: CommandContext, files: readonly string[]): Promise<ExitCode> {
  const { terminal } = context;
  const archives = await verifyArchives(files.length > 0 ? files : SAMPLE, { signal: context.signal });
  await using persistence = await PersistenceManager.open();
  await persistence.tenants.ensure({ slug: TENANT, name: 'Demo' });
  const tenant = persistence.tenant(TENANT);
  const { report } = await importWithProgress(context, tenant, archives);
  terminal.line();
  showStats(terminal, await tenant.stats(), `Tenant ${TENANT} has`);

  const page = await tenant.read((unit) => unit.conversations.readPage({ limit: 1 }));
  const [conversation] = page.items;
  if (conversation) {
    const name = printable(conversation.externalId ?? conversation.id);
    terminal.line();
    terminal.line(
      `The last messages of ${name}${conversation.title === null ? '' : ` (${printable(conversation.title)})`}:`,
    );
    showMessages(terminal, await tenant.messages.history(conversation.id, { last: LAST }));
    terminal.line();
    // Whoever runs the sources has no `colloquy` on the path.
    const command = import.meta.url.endsWith('.ts') ? 'npm run -s colloquy --' : 'npx colloquy';
    terminal.line(`More of it: ${command} history ${name} --tenant ${TENANT}`);
  }
  return report.total.rejected > 0 ? EXIT.findings : EXIT.success;
}
