import type { Command } from 'commander';
import type { Conversation } from '../../entities/conversation.js';
import { NotFoundError } from '../../errors.js';
import type { Row } from '../../repositories/compiled-table.js';
import { PersistenceManager } from '../../services/persistence-manager.js';
import type { TenantContext } from '../../services/tenant-context.js';
import { type CommandContext, type CommandRunner, wholeNumber } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { printable, showMessages } from '../show.js';
import { count } from '../terminal.js';

interface HistoryOptions {
  readonly last: number;
  readonly tenant?: string;
  readonly json?: boolean;
}

interface Found {
  readonly tenant: TenantContext;
  readonly conversation: Row<Conversation>;
}

export function addHistoryCommand(program: Command, run: CommandRunner): void {
  program
    .command('history')
    .description('print the last messages of a conversation, in order')
    .argument('<conversation>', 'its id or its external id, such as star:42')
    .option('--last <n>', 'how many messages', wholeNumber(1), 20)
    .option('--tenant <slug>', 'the tenant to look in; all of them unless given')
    .option('--json', 'print the result as JSON')
    .action((key: string, options: HistoryOptions) => run((context) => history(context, key, options), options.json));
}

async function history({ terminal }: CommandContext, key: string, options: HistoryOptions): Promise<ExitCode> {
  await using persistence = await PersistenceManager.open();
  const found = await findConversations(persistence, key, options.tenant);
  const [only] = found;
  if (!only) throw new NotFoundError('conversation', key);
  if (found.length > 1) {
    const slugs = found.map(({ tenant }) => tenant.slug).join(', ');
    terminal.refuse(`Several tenants have a conversation ${JSON.stringify(key)}: ${slugs}. Choose one with --tenant.`);
    return EXIT.usage;
  }
  const { tenant, conversation } = only;
  const messages = await tenant.messages.history(conversation.id, { last: options.last });
  const title = conversation.title === null ? '' : ` "${conversation.title}"`;
  const name = conversation.externalId ?? conversation.id;
  terminal.line(printable(`Conversation ${name}${title} of tenant ${tenant.slug}:`));
  showMessages(terminal, messages);
  terminal.line(`  (${count(messages.length)} of ${count(conversation.messageCount, 'message')})`);
  terminal.result({ tenant: tenant.slug, conversation, messages });
  return EXIT.success;
}

async function findConversations(
  persistence: PersistenceManager,
  key: string,
  slug: string | undefined,
): Promise<Found[]> {
  if (slug !== undefined) return findIn(persistence.tenant(slug), key);
  const found: Found[] = [];
  let after: string | undefined;
  do {
    const page = await persistence.tenants.list({ after, limit: 1_000 });
    for (const tenant of page.items) found.push(...(await findIn(persistence.tenant(tenant.slug), key)));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found;
}

async function findIn(tenant: TenantContext, key: string): Promise<Found[]> {
  const { conversations } = tenant;
  const ways = [() => conversations.get(key), () => conversations.getByExternalId(key)];
  for (const read of ways) {
    try {
      return [{ tenant, conversation: await read() }];
    } catch (error) {
      if (!(error instanceof NotFoundError) || error.entity !== 'conversation') throw error;
    }
  }
  return [];
}
