import type { NewMessage } from '../side.js';

/** A message as it is written, by the names of properties that each library maps to columns. */
export function rowOf(message: NewMessage, seq: number, now: Date) {
  return { ...message, seq, createdAt: now, updatedAt: now, role: 'user', modality: 'text' };
}

/** Rows of one statement: with 11 values each far from the most parameters of SQLite, 32,766, and of PostgreSQL, 65,535. */
const CHUNK_ROWS = 1_000;

/** The rows of messages that follow the number `last`, in chunks of what one statement inserts. */
export function* rowChunks(messages: readonly NewMessage[], last: number, now: Date) {
  for (let first = 0; first < messages.length; first += CHUNK_ROWS) {
    const chunk = messages.slice(first, first + CHUNK_ROWS);
    yield chunk.map((message, index) => rowOf(message, last + first + index + 1, now));
  }
}

export const tokensOf = (messages: readonly NewMessage[]): number =>
  messages.reduce((sum, { tokenCount }) => sum + tokenCount, 0);

/**
 * An append, unless another caller writes the key between its look and its insert: the unique index refuses the second, which then
 * gives what the first wrote.
 */
export async function appendOnce<Row>(
  append: () => Promise<Row>,
  findByKey: () => Promise<Row | null | undefined>,
): Promise<Row> {
  try {
    return await append();
  } catch (error) {
    const first = await findByKey();
    if (first) return first;
    throw error;
  }
}

export const noTenant = (id: string) => new Error(`There is no active tenant ${id}.`);
export const noConversation = (id: string) => new Error(`There is no active conversation ${id}.`);
