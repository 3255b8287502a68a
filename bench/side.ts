/** The rows that every side reads and writes: of one tenant, and in the tables of Colloquy where a side uses those. */
export interface Fixture {
  readonly tenantId: string;
  /** The user with the most conversations. */
  readonly userId: string;
  /** The ids of conversations that are read and appended to in turn. */
  readonly chats: readonly string[];
  readonly messageIds: readonly string[];
  /** What messages say. */
  readonly contents: readonly string[];
  /** Makes an id (UUIDv7). */
  readonly nextId: () => string;
}

/** A message that is appended. */
export interface NewMessage {
  readonly id: string;
  readonly tenantId: string;
  readonly conversationId: string;
  readonly content: string;
  readonly tokenCount: number;
  readonly idempotencyKey: string;
}

/** The hot paths as one library, or the driver alone, walks them. What a side cannot do it leaves out. */
export interface Side {
  append?(message: NewMessage): unknown;
  /** The last 50 messages of a conversation, in their order. */
  last50?(conversationId: string): unknown;
  byId?(messageId: string): unknown;
  /** The user's newest 20 conversations, and whether there are more. */
  list?(): unknown;
  /** Inserts as many messages at once, all of one conversation, which is empty. */
  bulk?(messages: readonly NewMessage[]): unknown;
  close(): Promise<void>;
}

/** The database that all sides have open. */
export interface BenchDatabase {
  readonly engine: 'sqlite' | 'postgresql' | 'mariadb';
  /** A path for SQLite, a URL for a server. */
  readonly address: string;
  readonly durable: boolean;
  /** How many callers there are at once, and so connections. */
  readonly callers: number;
}

export type OpenSide = (database: BenchDatabase, fixture: Fixture) => Promise<Side>;

export const PATHS = ['append', 'last50', 'byId', 'list', 'bulk'] as const;
export type PathName = (typeof PATHS)[number];
