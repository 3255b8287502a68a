import { isDeepStrictEqual } from 'node:util';
import { rawRows, tableNames } from './raw-rows.js';

export type DatabaseRow = Readonly<Record<string, unknown>>;

/** Every row of every table of a database that other processes may use, in an order of their own; `except` names tables. */
export async function dumpTables(url: string, except: readonly string[] = []): Promise<Record<string, DatabaseRow[]>> {
  const tables: Record<string, DatabaseRow[]> = {};
  for (const name of await tableNames(url)) {
    // What SQLite's full-text index keeps for itself follows from the terms of the documents.
    if (except.includes(name) || name.startsWith('document_terms_index')) continue;
    const rows = (await rawRows(url, `select * from ${name}`)).map((row) => [JSON.stringify(row), row] as const);
    tables[name] = rows.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }
  return tables;
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
  /** As the engine keeps instants. */
  readonly lastMessageAt: unknown;
  readonly storedLastAt: unknown;
}

const numberOf = (value: unknown): number | null => (value === null ? null : Number(value));

/** Every conversation with its own counters and those that its messages give. */
export async function storedConversations(url: string): Promise<StoredConversation[]> {
  const rows = await rawRows(
    url,
    `select c.external_id, c.message_count, c.token_count, c.last_message_at,
            count(m.id) as stored, min(m.seq) as first_seq, max(m.seq) as last_seq,
            coalesce(sum(m.token_count), 0) as stored_tokens,
            (select l.created_at from messages l where l.tenant_id = c.tenant_id and l.conversation_id = c.id order by l.seq desc limit 1) as stored_last_at
       from conversations c left join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
      group by c.tenant_id, c.id, c.external_id, c.message_count, c.token_count, c.last_message_at order by c.id`,
  );
  return rows.map((row) => ({
    externalId: String(row['external_id']),
    counted: Number(row['message_count']),
    stored: Number(row['stored']),
    firstSeq: numberOf(row['first_seq']),
    lastSeq: numberOf(row['last_seq']),
    tokens: Number(row['token_count']),
    storedTokens: Number(row['stored_tokens']),
    lastMessageAt: row['last_message_at'],
    storedLastAt: row['stored_last_at'],
  }));
}

/** The external ids of conversations that are not what the archive says: some of their messages, or their counters, are off. */
export async function halfConversations(url: string, lengths: ReadonlyMap<string, number>): Promise<string[]> {
  return (await storedConversations(url))
    .filter((row) => {
      const dense = row.stored === 0 ? row.lastSeq === null : row.firstSeq === 1 && row.lastSeq === row.stored;
      const agrees =
        row.counted === row.stored &&
        row.tokens === row.storedTokens &&
        isDeepStrictEqual(row.lastMessageAt, row.storedLastAt);
      return !dense || !agrees || row.stored !== lengths.get(row.externalId);
    })
    .map(({ externalId }) => externalId);
}
