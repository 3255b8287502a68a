import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Conversation, Message, PersistenceManager, type Row, type TenantContext } from '../src/index.js';
import { RuleBook } from '../src/entities/rule-book.js';
import { importArchives } from '../src/interchange/import-archives.js';
import { insertRows } from '../src/repositories/insert-rows.js';
import { isId } from '../src/repositories/id.js';
import { median } from './median.js';

const CALLS = 1_000;
const CONVERSATIONS = 250;
const MESSAGES = 20;
/** How often the rules judge the same inputs in a round: once takes less time than a clock can tell. */
const REPEATS = 10;

interface Options {
  readonly rounds: number;
  readonly json: boolean;
  /** An empty database; a file of SQLite unless given, where everything else takes the least time. */
  readonly url?: string | undefined;
}

/** Milliseconds of a path as a whole, and of the rule functions on the same inputs. */
interface Measured {
  readonly path: number;
  readonly rules: number;
}

interface Target {
  readonly tenant: TenantContext;
  readonly userId: string;
  readonly folder: string;
  readonly book: RuleBook;
}

const CONTENT = 'How long does it take until the parcel is here, and who pays for it when I send it back?';

const PATHS: Readonly<Record<string, (target: Target) => Promise<Measured>>> = {
  async append({ tenant, userId, book }) {
    const { id } = await tenant.conversations.start({ userId });
    const metadata = { channel: 'web', device: { name: 'phone', locale: 'en-GB' } };
    const rows: Row<Message>[] = [];
    const path = await timeOf(async () => {
      for (let call = 0; call < CALLS; call += 1) {
        rows.push(await tenant.messages.append(id, { role: 'user', content: CONTENT, tokenCount: 21, metadata }));
      }
    });
    return { path, rules: timeOfRules(() => rows.forEach((row) => book.of(Message).assert(row))) };
  },

  async 'by id'({ tenant, userId }) {
    const { id: chatId } = await tenant.conversations.start({ userId });
    const { id } = await tenant.messages.append(chatId, { role: 'user', content: CONTENT });
    const path = await timeOf(async () => {
      for (let call = 0; call < CALLS; call += 1) await tenant.messages.get(id);
    });
    // There is no row to be judged; what is judged is that the id can be one.
    let found = 0;
    const rules = timeOfRules(() => {
      for (let call = 0; call < CALLS; call += 1) if (isId(id)) found += 1;
    });
    if (found === 0) throw new Error('No id was found valid.');
    return { path, rules };
  },

  async 'bulk, an import'({ tenant, folder, book }) {
    const source = `bench-${String(Math.round(performance.now()))}`;
    const file = join(folder, 'archive.jsonl');
    writeFileSync(file, archiveOf(source));
    const path = await timeOf(async () => void (await importArchives(tenant, [file])));
    const conversations: Row<Conversation>[] = [];
    const messages: Row<Message>[] = [];
    for (let index = 0; index < CONVERSATIONS; index += 1) {
      const conversation = await tenant.conversations.getByExternalId(`${source}:${String(index)}`);
      conversations.push(conversation);
      messages.push(...(await tenant.messages.history(conversation.id, { last: MESSAGES })));
    }
    const rules = timeOfRules(() => {
      for (const conversation of conversations) book.of(Conversation).assert(conversation);
      for (const message of messages) book.of(Message).assert(message);
    });
    return { path, rules };
  },

  /** The least that bulk can be: rows that lie in memory are judged and inserted, and nothing else is done. */
  async 'bulk, rows alone'({ tenant, userId, book }) {
    const { id: conversationId } = await tenant.conversations.start({ userId });
    const first = await tenant.messages.append(conversationId, { role: 'user', content: CONTENT });
    const ids = Array.from({ length: CONVERSATIONS * MESSAGES }, (_unused, index) => index);
    const rows = ids.map((index): Row<Message> => ({ ...first, id: idFrom(first.id, index), seq: index + 2 }));
    const judge = (): void => rows.forEach((row) => book.of(Message).assert(row));
    const path = await timeOf(async () => {
      judge();
      await tenant.transaction(async ({ em }) => insertRows(em, Message, rows));
    });
    return { path, rules: timeOfRules(judge) };
  },
};

/**
 * What validation costs: the time of the rule functions on the rows that a path has judged, as a part of the time of that path. Nothing
 * can be stored without them, so the two are measured one after the other, in one process and on the same rows.
 */
export async function benchValidation(options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'));
  const databaseUrl = options.url ?? `sqlite:${join(folder, 'bench.sqlite')}`;
  try {
    await using persistence = await PersistenceManager.open({ databaseUrl, cache: false });
    await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
    const tenant = persistence.tenant('bench');
    const user = await tenant.users.create({ externalId: `bench-${String(Date.now())}`, username: 'bench' });
    report(await measure({ tenant, userId: user.id, folder, book: new RuleBook() }, options.rounds), options.json);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(target: Target, rounds: number): Promise<ReadonlyMap<string, readonly Measured[]>> {
  const measured = new Map<string, Measured[]>(Object.keys(PATHS).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, run] of Object.entries(PATHS)) {
      globalThis.gc?.();
      const times = await run(target);
      // The first round warms up.
      if (round > 0) measured.get(name)?.push(times);
    }
    process.stderr.write(`round ${String(round)} of ${String(rounds)} done\n`);
  }
  return measured;
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function timeOfRules(work: () => void): number {
  const begin = performance.now();
  for (let repeat = 0; repeat < REPEATS; repeat += 1) work();
  return (performance.now() - begin) / REPEATS;
}

/** Another UUIDv7 of the same instant. */
function idFrom(id: string, index: number): string {
  return id.slice(0, -8) + index.toString(16).padStart(8, '0');
}

function archiveOf(source: string): string {
  const messages = Array.from({ length: MESSAGES }, (_unused, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: CONTENT,
  }));
  const lines = Array.from({ length: CONVERSATIONS }, (_unused, index) =>
    JSON.stringify({ source, id: String(index), modality: 'text', participants: { user: source }, messages }),
  );
  return `${lines.join('\n')}\n`;
}

function line(name: string, ...cells: readonly string[]): string {
  return `${name.padEnd(22)}${cells.map((cell) => cell.padStart(12)).join('')}\n`;
}

function report(measured: ReadonlyMap<string, readonly Measured[]>, json: boolean): void {
  const rows = [...measured].map(([name, times]) => ({
    name: `validation/${name}`,
    path: median(times.map(({ path }) => path)),
    rules: median(times.map(({ rules }) => rules)),
    ratio: median(times.map(({ path, rules }) => rules / path)),
  }));
  if (json) {
    process.stdout.write(`${JSON.stringify({ rows }, null, 2)}\n`);
    return;
  }
  process.stdout.write(line('milliseconds', 'the path', 'its rules', 'ratio'));
  for (const { name, path, rules, ratio } of rows) {
    const cells = [path.toFixed(1), rules.toFixed(2), `${(ratio * 100).toFixed(1)} %`];
    process.stdout.write(line(name.replace('validation/', ''), ...cells));
  }
}
