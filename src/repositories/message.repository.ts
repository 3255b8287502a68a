import { isDeepStrictEqual } from 'node:util';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Conversation } from '../entities/conversation.js';
import { Message, type MessageModality, type MessageRole } from '../entities/message.js';
import { IdempotencyConflictError, InvalidStateError, NotFoundError, ValidationError } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { givenProperties } from './allowed-properties.js';
import { noteChange } from './change-capture.js';
import { type CompiledTable, compiledTableOf, type Row } from './compiled-table.js';
import { isId } from './id.js';
import { assertLimit, DEFAULT_LIMIT } from './page.js';
import { writeFreeKey } from './race.js';
import { runStatement, runUpdate } from './statement.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

/** A message as its author gives it. */
export interface MessageInput {
  readonly role: MessageRole;
  /** May be empty only with `parts`, or for a voice message. */
  readonly content: string;
  readonly parts?: unknown[] | null | undefined;
  /** `text` unless given. */
  readonly modality?: MessageModality | undefined;
  /** 0 unless given. */
  readonly tokenCount?: number | undefined;
  readonly references?: unknown[] | null | undefined;
  readonly metadata?: Record<string, unknown> | null | undefined;
}

export interface AppendOptions {
  /** Names the request: the same key in the same tenant returns the first result and writes nothing. */
  readonly idempotencyKey?: string | undefined;
}

/** A part of a conversation: its last messages, or up to `limit` (50 unless given) after or before a sequence number. */
export type HistoryRequest =
  | { readonly last: number }
  | { readonly after: number; readonly limit?: number | undefined }
  | { readonly before: number; readonly limit?: number | undefined };

/** The properties of a message that its author gives. */
const GIVEN = [
  'role',
  'content',
  'parts',
  'modality',
  'tokenCount',
  'references',
  'metadata',
] as const satisfies readonly (keyof MessageInput)[];

const MAX_HISTORY = 10_000;
const ANY_SEQ = 1;

export class MessageRepository extends TenantOwnedRepository<Message> {
  readonly #conversations: CompiledTable<Conversation>;

  constructor(em: SqlEntityManager) {
    super(em, Message);
    this.#conversations = compiledTableOf(em, Conversation);
  }

  /**
   * Adds a message at the end of a conversation. Raising the conversation's counters locks its row, so the sequence number that
   * comes back with them belongs to this message alone.
   *
   * @throws ValidationError, NotFoundError, InvalidStateError when the conversation is archived, IdempotencyConflictError when the
   *   key was used for another message.
   */
  async append(conversationId: string, input: MessageInput, options: AppendOptions = {}): Promise<Row<Message>> {
    const { issues } = givenProperties('Message', input, GIVEN);
    const row = this.#newRow(conversationId, input, options.idempotencyKey ?? null);
    const broken = [...issues, ...this.rules.issues(row)];
    if (typeof conversationId !== 'string') broken.push(brokenRule('conversationId', 'isString', conversationId));
    if (broken.length > 0) throw new ValidationError('Message', broken);
    if (!isId(conversationId)) throw new NotFoundError('conversation', conversationId);
    // What the unit of work holds back may be the conversation itself.
    await this.em.flush();
    const first = await this.#readFirstResult(row);
    if (first) return first;
    noteChange(this.em, { tenantId: row.tenantId, entity: Message, type: 'insert', ids: [row.id] });
    noteChange(this.em, { tenantId: row.tenantId, entity: Conversation, type: 'update', ids: [conversationId] });
    const message: Row<Message> = { ...row, seq: await this.#advance(row) };
    const insert = () => runStatement(this.em, this.table.insert, this.table.values(message));
    await (row.idempotencyKey === null ? insert() : writeFreeKey(insert, 'idempotency_key'));
    return message;
  }

  /** @throws NotFoundError when there is no such conversation; an existing one without messages gives an empty list. */
  async readHistory(conversationId: string, request: HistoryRequest): Promise<Row<Message>[]> {
    const seq = this.table.column('seq');
    const { where, values, direction, limit } = resolveHistory(request, seq);
    if (!isId(conversationId)) throw new NotFoundError('conversation', conversationId);
    const rows = await this.readWhere(
      `${this.table.column('conversationId')} = ?${where}`,
      [conversationId, ...values],
      `order by ${seq} ${direction} limit ?`,
      [limit],
    );
    if (rows.length === 0) await this.#assertConversation(conversationId);
    return direction === 'desc' ? rows.toReversed() : rows;
  }

  #newRow(conversationId: string, input: MessageInput, idempotencyKey: string | null): Row<Message> {
    const { clock, ids } = this.runtime;
    const now = clock.now();
    // What is null is not left out: the rules say whether it may be.
    const { modality = 'text', tokenCount = 0 } = input;
    return {
      tenantId: this.tenantId,
      id: ids.next(),
      createdAt: now,
      updatedAt: now,
      conversationId,
      seq: ANY_SEQ,
      role: input.role,
      content: input.content,
      parts: input.parts ?? null,
      modality,
      tokenCount,
      references: input.references ?? null,
      metadata: input.metadata ?? null,
      idempotencyKey,
    };
  }

  async #readFirstResult(row: Row<Message>): Promise<Row<Message> | undefined> {
    if (row.idempotencyKey === null) return undefined;
    const first = await this.readOne(`${this.table.column('idempotencyKey')} = ?`, [row.idempotencyKey]);
    const difference = first && differenceOf(first, row);
    if (difference) throw new IdempotencyConflictError(row.idempotencyKey, difference);
    return first;
  }

  /** Raises the conversation's counters and returns the new message's sequence number. */
  async #advance(row: Row<Message>): Promise<number> {
    const column = (key: keyof Row<Conversation>): string => this.#conversations.column(key);
    const update =
      `update ${this.#conversations.name} set ${column('messageCount')} = ${column('messageCount')} + 1, ` +
      `${column('tokenCount')} = ${column('tokenCount')} + ?, ${column('lastMessageAt')} = ?, ${column('updatedAt')} = ? ` +
      `where ${column('tenantId')} = ? and ${column('id')} = ? and ${column('status')} = 'active'`;
    const advanced = await this.#updateCounters(update, [row.tokenCount, row.createdAt, row.createdAt], row);
    if (!advanced) {
      await this.#assertConversation(row.conversationId);
      throw new InvalidStateError('conversation', row.conversationId, 'archived', 'take messages');
    }
    this.#refresh(row, advanced);
    return advanced.seq;
  }

  /** Updates the conversation and returns its counters as they are then; undefined where the update found no row. */
  async #updateCounters(update: string, values: readonly unknown[], row: Row<Message>): Promise<Counters | undefined> {
    const { name } = this.#conversations;
    const column = (key: keyof Row<Conversation>): string => this.#conversations.column(key);
    const counters = `${column('messageCount')} as seq, ${column('tokenCount')} as tokens`;
    const key = [row.tenantId, row.conversationId];
    if (this.em.getPlatform().usesReturningStatement()) {
      return (await runStatement<Counters>(this.em, `${update} returning ${counters}`, [...values, ...key]))[0];
    }
    const { affectedRows } = await runUpdate(this.em, update, [...values, ...key]);
    if (affectedRows === 0) return undefined;
    // The update has locked the row until the transaction ends.
    const select = `select ${counters} from ${name} where ${column('tenantId')} = ? and ${column('id')} = ?`;
    return (await runStatement<Counters>(this.em, select, key))[0];
  }

  /** A conversation that the unit of work has loaded shall not keep the counters from before. */
  #refresh(row: Row<Message>, { seq, tokens }: Counters): void {
    const key = [row.tenantId, row.conversationId] as [string, string];
    const counters = { messageCount: seq, tokenCount: tokens, lastMessageAt: row.createdAt, updatedAt: row.createdAt };
    if (!this.em.getUnitOfWork().getById(Conversation, key)) return;
    this.em.merge(Conversation, { tenant: key[0], id: key[1], ...counters }, { refresh: true });
  }

  async #assertConversation(id: string): Promise<void> {
    const { name } = this.#conversations;
    const where = `${this.#conversations.column('tenantId')} = ? and ${this.#conversations.column('id')} = ?`;
    const rows = await runStatement(this.em, `select 1 as found from ${name} where ${where}`, [this.tenantId, id]);
    if (rows.length === 0) throw new NotFoundError('conversation', id);
  }
}

/** Of a conversation: how many messages it has, which is the last one's number, and their tokens. */
interface Counters {
  readonly seq: number;
  readonly tokens: number;
}

const COMPARED = [
  'conversationId',
  'role',
  'content',
  'parts',
  'modality',
  'tokenCount',
  'references',
  'metadata',
] as const;

/** The first property in which two messages differ; JSON values are compared as they are stored. */
function differenceOf(first: Row<Message>, second: Row<Message>): string | undefined {
  return COMPARED.find((key) => !isDeepStrictEqual(stored(first[key]), stored(second[key])));
}

function stored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function resolveHistory(request: HistoryRequest, seq: string) {
  if ('last' in request) {
    assertLimit('last', request.last, MAX_HISTORY);
    return { where: '', values: [], direction: 'desc', limit: request.last } as const;
  }
  const limit = request.limit ?? DEFAULT_LIMIT;
  assertLimit('limit', limit, MAX_HISTORY);
  const [name, position] =
    'after' in request ? (['after', request.after] as const) : (['before', request.before] as const);
  if (!Number.isSafeInteger(position)) {
    throw new ValidationError('The request', [brokenRule(name, 'seq', position)]);
  }
  return name === 'after'
    ? ({ where: ` and ${seq} > ?`, values: [position], direction: 'asc', limit } as const)
    : ({ where: ` and ${seq} < ?`, values: [position], direction: 'desc', limit } as const);
}
