import { randomUUID } from 'node:crypto';
import { importArchives } from '../src/index.js';
import type { Opened } from './arenas.js';
import { benchArchives } from './data.js';
import type { Fixture, NewMessage, PathName, Side } from './side.js';

/** How many messages are read, and their contents written again. */
const CONTENTS = 2_000;
/** How many messages a bulk has. */
export const BULK = 10_000;

/** Imports an archive: its longest conversations are read and appended to, and the user with the most of them lists them. */
export async function furnish({ persistence }: Opened, chats: number): Promise<Fixture> {
  const { id: tenantId } = await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
  const tenant = persistence.tenant('bench');
  const [archive = ''] = benchArchives();
  await importArchives(tenant, [archive]);
  return persistence.withEntityManager(async (em) => {
    em.setFilterParams('tenant', { tenantId });
    const first = async (sql: string, name: string): Promise<string[]> =>
      (await em.execute<Record<string, string>[]>(sql, [tenantId])).map((row) => row[name] ?? '');
    const users = `select user_id, count(*) from conversations where tenant_id = ? group by user_id order by 2 desc limit 1`;
    const [userId = ''] = await first(users, 'user_id');
    const longest = `select id from conversations where tenant_id = ? order by message_count desc limit ${String(chats)}`;
    const messages = `select id, content from messages where tenant_id = ? order by id limit ${String(CONTENTS)}`;
    return {
      tenantId,
      userId,
      chats: await first(longest, 'id'),
      messageIds: await first(messages, 'id'),
      contents: await first(messages, 'content'),
      nextId: () => persistence.sources.ids.next(),
    };
  });
}

/** Walks a path once, for the nth time. */
export type Walk = (n: number) => unknown;

export class Walks {
  readonly #opened: Opened;
  readonly #fixture: Fixture;

  constructor(opened: Opened, fixture: Fixture) {
    this.#opened = opened;
    this.#fixture = fixture;
  }

  /** How a side walks a path; undefined where it cannot. */
  of(side: Side, path: Exclude<PathName, 'bulk'>): Walk | undefined {
    const { chats, messageIds } = this.#fixture;
    const chat = (n: number): string => chats[n % chats.length] ?? '';
    const walks: Readonly<Record<typeof path, Walk | undefined>> = {
      append: side.append && ((n) => side.append?.(this.message(n, chat(n)))),
      last50: side.last50 && ((n) => side.last50?.(chat(n))),
      byId: side.byId && ((n) => side.byId?.(messageIds[n % messageIds.length] ?? '')),
      list: side.list && (() => side.list?.()),
    };
    return walks[path];
  }

  /** Messages of a conversation that was empty. */
  async bulkMessages(): Promise<NewMessage[]> {
    const { userId } = this.#fixture;
    const { id } = await this.#opened.persistence.tenant('bench').conversations.start({ userId });
    return Array.from({ length: BULK }, (_unused, n) => this.message(n, id));
  }

  /** The nth message that is appended or inserted. */
  message(n: number, conversationId: string): NewMessage {
    const { tenantId, contents, nextId } = this.#fixture;
    const content = contents[n % contents.length] ?? 'x';
    return { id: nextId(), tenantId, conversationId, content, tokenCount: 21, idempotencyKey: randomUUID() };
  }
}
