import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Plan } from '../database/plan.js';
import { Conversation } from '../entities/conversation.js';
import { Message, type MessageModality, type MessageRole } from '../entities/message.js';
import { IdempotencyConflictError, NotFoundError, ValidationError } from '../errors.js';
import { parseJson } from '../json.js';
import { brokenRule } from '../messages/broken-rule.js';
import type { Runtime } from '../runtime.js';
import { issuesOfNames } from './allowed-properties.js';
import { AppendPlans, type Counters, type NewMessage } from './append-plans.js';
import { type Change, noteChange } from './change-capture.js';
import { type CompiledTable, compiledTableOf, type Row } from './compiled-table.js';
import { isId } from './id.js';
import { assertLimit, DEFAULT_LIMIT } from './page.js';
import { IDEMPOTENCY_KEY, writeFreeKey } from './race.js';
import { connectionOf, runPlanIn } from './statement.js';
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
  constructor(em: SqlEntityManager) {
    super(em, Message);
  }

  /**
   * Adds a message at the end of a conversation. Raising the conversation's counters locks its row, so the sequence number that
   * comes back with them belongs to this message alone.
   *
   * @throws ValidationError, NotFoundError, InvalidStateError when the conversation is archived, IdempotencyConflictError when the
   *   key was used for another message.
   */
  async append(conversationId: string, input: MessageInput, options: AppendOptions = {}): Promise<Row<Message>> {
    return this.appendMade(newMessage(this.runtime, this.tenantId, conversationId, input, options));
  }

  /** {@link append} of a message that {@link newMessage} has made. */
  async appendMade(message: NewMessage): Promise<Row<Message>> {
    // What the unit of work holds back may be the conversation itself.
    await this.em.flush();
    noteAppend(this.em, message);
    const append = () => runPlanIn(this.em, () => appendPlansOf(this.em).append(message));
    const appended = await (message.idempotencyKey === null ? append() : writeFreeKey(append, IDEMPOTENCY_KEY));
    if ('first' in appended) return firstResult(appended.first, message);
    this.#refresh(message, appended);
    return placed(message, appended.messages);
  }

  /** @throws NotFoundError when there is no such conversation; an existing one without messages gives an empty list. */
  async readHistory(conversationId: string, request: HistoryRequest): Promise<Row<Message>[]> {
    return runPlanIn(this.em, () => history(this.table, this.tenantId, conversationId, request));
  }

  /** A conversation that the unit of work has loaded shall not keep the counters from before. */
  #refresh({ tenantId, conversationId, createdAt }: NewMessage, { messages, tokens }: Counters): void {
    const key = [tenantId, conversationId] as [string, string];
    const counters = { messageCount: messages, tokenCount: tokens, lastMessageAt: createdAt, updatedAt: createdAt };
    if (!this.em.getUnitOfWork().getById(Conversation, key)) return;
    this.em.merge(Conversation, { tenant: key[0], id: key[1], ...counters }, { refresh: true });
  }
}

const EXTENSION = 'colloquy/append-plans';

/** The plans of the ORM that the entity manager belongs to. */
export function appendPlansOf(em: EntityManager): AppendPlans {
  const known = em.config.getExtension<AppendPlans>(EXTENSION);
  if (known) return known;
  const { writesInOneStatement, sharedLock } = connectionOf(em as SqlEntityManager);
  const tables = { messages: compiledTableOf(em, Message), conversations: compiledTableOf(em, Conversation) };
  const returns = em.getPlatform().usesReturningStatement();
  const plans = new AppendPlans(tables, { writesInOneStatement, sharedLock, returns });
  em.config.registerExtension(EXTENSION, () => plans);
  return plans;
}

/**
 * Makes a message of what its author gives.
 *
 * @throws ValidationError with every broken rule, NotFoundError when the conversation's id can be none.
 */
export function newMessage(
  { clock, ids, rules }: Runtime,
  tenantId: string,
  conversationId: string,
  input: MessageInput,
  { idempotencyKey }: AppendOptions,
): NewMessage {
  const broken = issuesOfNames('Message', input, GIVEN);
  const now = clock.now();
  // What is null is not left out: the rules say whether it may be.
  const { modality = 'text', tokenCount = 0 } = input;
  const message: Row<Message> = {
    tenantId,
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
    idempotencyKey: idempotencyKey ?? null,
  };
  broken.push(...rules.of(Message).issues(message));
  if (typeof conversationId !== 'string') broken.push(brokenRule('conversationId', 'isString', conversationId));
  if (broken.length > 0) throw new ValidationError('Message', broken);
  if (!isId(conversationId)) throw new NotFoundError('conversation', conversationId);
  return message;
}

/** Tells of a message that is about to be written, and gives what it tells. */
export function noteAppend(em: EntityManager, { tenantId, id, conversationId }: NewMessage): readonly Change[] {
  const changes: readonly Change[] = [
    { tenantId, entity: Message, type: 'insert', ids: [id], isAppend: true },
    { tenantId, entity: Conversation, type: 'update', ids: [conversationId] },
  ];
  for (const change of changes) noteChange(em, change);
  return changes;
}

/** The message with its number. */
export function placed(message: NewMessage, seq: number): Row<Message> {
  return { ...message, seq };
}

/** The result of the first request under a key. @throws IdempotencyConflictError when that was another one. */
export function firstResult(first: Row<Message>, message: NewMessage): Row<Message> {
  const difference = differenceOf(first, message);
  if (difference) throw new IdempotencyConflictError(message.idempotencyKey ?? '', difference);
  return first;
}

/** A part of a conversation, in the order of its numbers. */
export function* history(
  messages: CompiledTable<Message>,
  tenantId: string,
  conversationId: string,
  request: HistoryRequest,
): Plan<Row<Message>[]> {
  const { name, comparison, values, direction, limit } = resolveHistory(request);
  if (!isId(conversationId)) throw new NotFoundError('conversation', conversationId);
  const statement = messages.reading(name, ['conversationId'], () => {
    const seq = messages.column('seq');
    const isThere = comparison === undefined ? '' : `and ${seq} ${comparison} ?`;
    return `${isThere} order by ${seq} ${direction} limit ?`;
  });
  const bound = [tenantId, conversationId, ...values, limit];
  const raws = yield { statement, values: bound, mostRows: limit };
  if (raws.length === 0) {
    const exists = messages.statement(
      'conversation',
      () => 'select 1 from conversations where tenant_id = ? and id = ?',
    );
    const found = yield { statement: exists, values: [tenantId, conversationId], isOne: true };
    if (found.length === 0) throw new NotFoundError('conversation', conversationId);
  }
  const rows = raws.map((raw) => statement.toRow(raw, bound));
  return direction === 'desc' ? rows.toReversed() : rows;
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
function differenceOf(first: Row<Message>, second: NewMessage): string | undefined {
  return COMPARED.find((key) => !isDeepStrictEqual(stored(first[key]), stored(second[key])));
}

function stored(value: unknown): unknown {
  return parseJson(JSON.stringify(value));
}

function resolveHistory(request: HistoryRequest) {
  if ('last' in request) {
    assertLimit('last', request.last, MAX_HISTORY);
    return { name: 'last', comparison: undefined, values: [], direction: 'desc', limit: request.last } as const;
  }
  const limit = request.limit ?? DEFAULT_LIMIT;
  assertLimit('limit', limit, MAX_HISTORY);
  const [name, position] =
    'after' in request ? (['after', request.after] as const) : (['before', request.before] as const);
  if (!Number.isSafeInteger(position)) {
    throw new ValidationError('The request', [brokenRule(name, 'seq', position)]);
  }
  return name === 'after'
    ? ({ name, comparison: '>', values: [position], direction: 'asc', limit } as const)
    : ({ name, comparison: '<', values: [position], direction: 'desc', limit } as const);
}
