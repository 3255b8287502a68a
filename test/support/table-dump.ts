import Database from 'better-sqlite3';
import { openRaw, schemaOf } from './raw-database.js';

export type DatabaseRow = Readonly<Record<string, unknown>>;

/** Every row of every table of a database that other processes may use, in an order of their own; `except` names tables. */
export function dumpTables(url: string, except: readonly string[] = []): Record<string, DatabaseRow[]> {
  const database = new Database(fileOf(url), { readonly: true });
  try {
    const tables = schemaOf(database).filter(({ type, name }) => type === 'table' && !except.includes(name));
    return Object.fromEntries(
      tables.map(({ name }) => {
        const columns = database.pragma(`table_info("${name}")`) as { readonly name: string }[];
        const order = columns.map((column) => `"${column.name}"`).join(', ');
        return [name, database.prepare<[], DatabaseRow>(`select * from "${name}" order by ${order}`).all()];
      }),
    );
  } finally {
    database.close();
  }
}

export function fileOf(url: string): string {
  return url.replace(/^sqlite:/, '').replace(/\?.*$/s, '');
}

/** One conversation as its table has it, and what its messages say about it. */
export interface StoredConversation {
  readonly externalId: string;
  readonly counted: number;
  readonly stored: number;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  readonly tokens: number;
  readonly storedTokens: number;
  readonly lastMessageAt: number | null;
  readonly storedLastAt: number | null;
}

/** Every conversation with its own counters and those that its messages give. */
export function storedConversations(url: string): StoredConversation[] {
  return openRaw(`sqlite:${fileOf(url)}`)
    .prepare<[], StoredConversation>(
      `select c.external_id as externalId, c.message_count as counted, count(m.id) as stored,
              min(m.seq) as firstSeq, max(m.seq) as lastSeq,
              c.token_count as tokens, coalesce(sum(m.token_count), 0) as storedTokens,
              c.last_message_at as lastMessageAt,
              (select l.created_at from messages l where l.tenant_id = c.tenant_id and l.conversation_id = c.id order by l.seq desc limit 1) as storedLastAt
         from conversations c left join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
        group by c.tenant_id, c.id order by c.id`,
    )
    .all();
}

/** The external ids of conversations that are not what the archive says: some of their messages, or their counters, are off. */
export function halfConversations(url: string, lengths: ReadonlyMap<string, number>): string[] {
  return storedConversations(url)
    .filter((row) => {
      const dense = row.stored === 0 ? row.lastSeq === null : row.firstSeq === 1 && row.lastSeq === row.stored;
      const agrees =
        row.counted === row.stored && row.tokens === row.storedTokens && row.lastMessageAt === row.storedLastAt;
      return !dense || !agrees || row.stored !== lengths.get(row.externalId);
    })
    .map(({ externalId }) => externalId);
}
