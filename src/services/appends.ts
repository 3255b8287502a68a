import type { SqlEntityManager } from '@mikro-orm/sql';
import type { PlanRunner } from '../database/plan.js';
import type { Message } from '../entities/message.js';
import { ColloquyError, OutcomeUnknownError } from '../errors.js';
import type { AppendPlans, Appended, NewMessage } from '../repositories/append-plans.js';
import type { Row } from '../repositories/compiled-table.js';
import {
  type AppendOptions,
  appendPlansOf,
  firstResult,
  type MessageInput,
  newMessage,
  noteAppend,
  placed,
} from '../repositories/message.repository.js';
import { connectionOf } from '../repositories/statement.js';
import { type Runtime, runtimeOf } from '../runtime.js';
import type { CommitListener } from './commit-listener.js';

/** What is combined into one statement: so many messages, and so many characters of them. */
const COMBINED_MAX = 32;
const COMBINED_CHARACTERS = 262_144;

/** The codes of errors that the next statement would meet as well; the others are about one of the messages. */
const OUTAGE = /^(?:OUTCOME_UNKNOWN|DATABASE_(?!LIMIT|FAILED).*)$/;

interface Waiting {
  readonly message: NewMessage;
  readonly resolve: (appended: Appended | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Appends of messages beside the ORM. A conversation's row lock lets one append at a time through, so those of this process that would
 * wait for the same one are combined: while an append is under way, others stand in line, and then go together, in the order in which
 * they came. An engine that commits whatever waits together needs no lines.
 */
export class Appends {
  readonly #em: SqlEntityManager;
  readonly #plans: AppendPlans;
  readonly #runner: PlanRunner;
  readonly #runtime: Runtime;
  readonly #translateError: (error: unknown) => unknown;
  readonly #commits: CommitListener;
  /** By the conversation's id. */
  readonly #lines = new Map<string, { readonly tenantId: string; readonly waiting: Waiting[] }>();

  constructor(em: SqlEntityManager, translateError: (error: unknown) => unknown, commits: CommitListener) {
    this.#em = em;
    this.#plans = appendPlansOf(em);
    this.#runner = connectionOf(em).plans;
    this.#runtime = runtimeOf(em);
    this.#translateError = translateError;
    this.#commits = commits;
  }

  /** @throws ValidationError, and NotFoundError when the conversation's id can be none. */
  make(tenantId: string, conversationId: string, input: MessageInput, options: AppendOptions): NewMessage {
    return newMessage(this.#runtime, tenantId, conversationId, input, options);
  }

  /**
   * Appends a message in a transaction of its own; undefined where a unit of work has to, and nothing is written.
   *
   * @throws NotFoundError, InvalidStateError, IdempotencyConflictError, and what the driver throws.
   */
  async append(message: NewMessage): Promise<Row<Message> | undefined> {
    const changes = noteAppend(this.#em, message);
    let appended: Appended | undefined;
    try {
      appended = await (this.#runner.commitsTogether ? this.#send([message]) : this.#inLine(message));
    } catch (error) {
      if (this.#translateError(error) instanceof OutcomeUnknownError) await this.#commits.doubt(changes);
      throw error;
    }
    const published = this.#commits.publish(changes);
    if (published) await published;
    if (!appended) return undefined;
    return 'first' in appended ? firstResult(appended.first, message) : placed(message, appended.messages);
  }

  #send(messages: readonly NewMessage[]): Promise<Appended | undefined> {
    return this.#runner.write(() => this.#plans.appendAlone(messages), messages[0]?.tenantId ?? '');
  }

  #inLine(message: NewMessage): Promise<Appended | undefined> {
    const { tenantId, conversationId } = message;
    const line = this.#lines.get(conversationId);
    // Another tenant's conversation of this id would be none of ours; whoever asks for it is told so on his own.
    if (line && line.tenantId !== tenantId) return this.#send([message]);
    if (line) return new Promise((resolve, reject) => line.waiting.push({ message, resolve, reject }));
    const waiting: Waiting[] = [];
    this.#lines.set(conversationId, { tenantId, waiting });
    const sent = this.#send([message]);
    const goOn = () => this.#work(conversationId, waiting);
    sent.then(goOn, goOn);
    return sent;
  }

  /** Lets a line through, until nobody stands in it; a database that is away ends it for all of them, so that none waits for the others. */
  async #work(conversationId: string, line: Waiting[]): Promise<void> {
    while (line.length > 0) {
      const next = line.splice(0, lengthOf(line));
      try {
        await this.#combine(next);
      } catch (error) {
        for (const { reject } of [...next, ...line.splice(0)]) reject(error);
      }
    }
    this.#lines.delete(conversationId);
  }

  /** @throws what tells of an outage, after which some of those who wait may not have heard. */
  async #combine(waiting: readonly Waiting[]): Promise<void> {
    if (waiting.length > 1 && (await this.#appendTogether(waiting))) return;
    // One of them may stand in the way of all: each by itself has an outcome of its own.
    for (const { message, resolve, reject } of waiting) {
      try {
        resolve(await this.#send([message]));
      } catch (error) {
        if (this.#isOutage(error)) throw error;
        reject(error);
      }
    }
  }

  /** Whether all of them are appended; none of them is otherwise. */
  async #appendTogether(waiting: readonly Waiting[]): Promise<boolean> {
    try {
      const appended = await this.#send(waiting.map(({ message }) => message));
      if (!appended || 'first' in appended) return false;
      const before = appended.messages - waiting.length;
      for (const [index, { resolve }] of waiting.entries()) resolve({ messages: before + index + 1 });
      return true;
    } catch (error) {
      if (this.#isOutage(error)) throw error;
      return false;
    }
  }

  /** Whoever may be committed must not be sent again by us either. */
  #isOutage(error: unknown): boolean {
    const translated = this.#translateError(error);
    return !(translated instanceof ColloquyError) || OUTAGE.test(translated.code);
  }
}

/** How many of those who wait go next: no two with the same key, and not more than a statement should have. */
function lengthOf(line: readonly Waiting[]): number {
  const keys = new Set<string>();
  let characters = 0;
  for (const [index, { message }] of line.entries()) {
    const { idempotencyKey, content } = message;
    characters += content.length;
    const ends = index === COMBINED_MAX || characters > COMBINED_CHARACTERS || keys.has(idempotencyKey ?? '');
    if (index > 0 && ends) return index;
    if (idempotencyKey !== null) keys.add(idempotencyKey);
  }
  return line.length;
}
