import { FixedStatement, type Plan, type RawRow, type Step } from '../database/plan.js';
import type { Conversation } from '../entities/conversation.js';
import type { Message } from '../entities/message.js';
import type { TenantQuota } from '../entities/quota.js';
import { InvalidStateError, NotFoundError } from '../errors.js';
import { parseJson } from '../json.js';
import type { CompiledTable, Row } from './compiled-table.js';
import type { RowStatement } from './row-statement.js';

/** A message before it has its place in the conversation. */
export type NewMessage = Omit<Row<Message>, 'seq'>;

/** What an engine can do, as far as an append depends on it. */
export interface AppendAbilities {
  readonly writesInOneStatement: boolean;
  readonly sharedLock: string;
  /** Whether an update can give what it has made. */
  readonly returns: boolean;
}

/** What a conversation has once messages are appended. */
export interface Place {
  /** How many messages it has, which is the last one's number. */
  readonly messages: number;
}

export interface Counters extends Place {
  readonly tokens: number;
}

/** Or the message that there is under the idempotency key: nothing was written then. */
export type Appended<Kind extends Place = Place> = Kind | { readonly first: Row<Message> };

/** Asks for the message that was the first under a key. */
interface AskForFirst extends Step {
  readonly statement: RowStatement<Row<Message>>;
}

interface AppendTables {
  readonly messages: CompiledTable<Message>;
  readonly conversations: CompiledTable<Conversation>;
}

/** A tenant whose messages nobody counts, and may write. Plans beside the ORM leave all others to the unit of work, which says why. */
const IS_PLAIN = `status = 'active' and quota ->> 'messagesPerMonth' is null and quota ->> 'tokensPerMonth' is null`;
const PLAIN_TENANT = `select from tenants where id = ? and ${IS_PLAIN} for key share`;

/**
 * The statements by which messages come to the end of a conversation. Raising the conversation's counters locks its row, so the numbers
 * that come back with them belong to these messages alone.
 */
export class AppendPlans {
  readonly #tables: AppendTables;
  readonly #abilities: AppendAbilities;
  readonly #tenant: FixedStatement;
  readonly #advancing: FixedStatement;

  constructor(tables: AppendTables, abilities: AppendAbilities) {
    this.#tables = tables;
    this.#abilities = abilities;
    this.#tenant = new FixedStatement(`select status, quota from tenants where id = ? ${abilities.sharedLock}`);
    this.#advancing = new FixedStatement(`${this.#advance} returning ${this.#counters}`);
  }

  /**
   * Appends a message within a unit of work, which has seen to the tenant.
   *
   * @throws NotFoundError, InvalidStateError when the conversation is archived.
   */
  *append(message: NewMessage): Plan<Appended<Counters>> {
    if (this.#abilities.writesInOneStatement) {
      const [counters] = yield this.#oneStatement(message);
      if (counters) return countersOf(counters);
    }
    return yield* this.#inSteps([message]);
  }

  /**
   * Appends messages to one conversation beside the ORM, in a transaction of their own; undefined where the unit of work has to, and
   * nothing is written. No two of them have the same idempotency key.
   *
   * @throws NotFoundError, InvalidStateError when the conversation is archived.
   */
  *appendAlone(messages: readonly NewMessage[]): Plan<Appended | undefined> {
    const [message] = messages;
    if (!message) return undefined;
    if (this.#abilities.writesInOneStatement) {
      const rows = yield messages.length === 1 ? this.#oneStatementAlone(message) : this.#oneStatementOfMany(messages);
      if (rows.length > 0) return { messages: Math.max(...rows.map(({ seq }) => Number(seq))) };
      // Most often it has been appended before; whatever else it may be, the unit of work tells.
      const ask = messages.length === 1 ? this.#asksFirst(messages) : undefined;
      const [first] = ask ? yield { ...ask, commits: true } : [];
      return first && ask && { first: ask.statement.toRow(first, ask.values) };
    }
    if (this.#checksInUpdate && messages.length === 1) {
      const [advanced] = yield this.#advancesIfFree(message);
      if (advanced) {
        const counters = countersOf(advanced);
        yield this.#inserts(messages, counters);
        return counters;
      }
    }
    const [found] = yield { statement: this.#tenant, values: [message.tenantId], isOne: true };
    return found && isPlain(found) ? yield* this.#inSteps(messages) : undefined;
  }

  /** Whether an update can look at the tenant: where who writes needs no lock on it. */
  get #checksInUpdate(): boolean {
    return this.#abilities.returns && this.#abilities.sharedLock === '';
  }

  /** Most often nothing stands against an append: one statement sees to that, where the reasons would each need another. */
  #advancesIfFree(message: NewMessage): Step {
    const statement = this.#fixed('advance if free', () => {
      const tenant = `select 1 from tenants where id = ? and ${IS_PLAIN}`;
      const free = this.#isFree('= ?').replace('select from', 'select 1 from');
      return `${this.#advance} and exists (${tenant}) and ${free} returning ${this.#counters}`;
    });
    const { tenantId, idempotencyKey } = message;
    const values = [...this.#advanceValues([message]), tenantId, tenantId, idempotencyKey];
    return { statement, values, isOne: true };
  }

  /** Within a unit of work, which has seen to the tenant, and may hold the conversation whose counters change. */
  #oneStatement(message: NewMessage): Step {
    const statement = this.#fixed('append', () => {
      const conversation = this.#advanceIf(this.#isFree('= ?::text'), this.#counters);
      const inserted = this.#insertSelected('conversation');
      return `with conversation as (${conversation}), message as (${inserted}) select messages, tokens from conversation`;
    });
    return { statement, values: [...this.#advanceValues([message]), ...this.#ownValues(message)] };
  }

  /** Only for an engine whose placeholders have numbers: each value of the message is sent once, and used wherever it is needed. */
  #oneStatementAlone(message: NewMessage): Step {
    const { messages, conversations } = this.#tables;
    const statement = this.#fixed('append alone', () => {
      const { columns, columnTypes } = messages.bulk;
      const mark = (key: string): string => `$${String(messages.columnKeys.indexOf(key) + 1)}`;
      const type = (key: string): string => bare(columnTypes[messages.columnKeys.indexOf(key)] ?? '');
      const of = (key: string): string => `${mark(key)}::${type(key)}`;
      const [count, tokens] = [conversations.column('messageCount'), conversations.column('tokenCount')];
      const set = [
        // The place of the number holds by how much it is raised.
        `${count} = ${count} + ${of('seq')}, ${tokens} = ${tokens} + ${of('tokenCount')}`,
        `${conversations.column('lastMessageAt')} = ${of('createdAt')}, ${conversations.column('updatedAt')} = ${of('createdAt')}`,
      ].join(', ');
      const own = `${conversations.column('tenantId')} = ${of('tenantId')} and ${conversations.column('id')} = ${of('conversationId')}`;
      const tenant = PLAIN_TENANT.replace('?', of('tenantId'));
      const free = this.#isFree(`= ${mark('idempotencyKey')}::text`).replace('?', of('tenantId'));
      const condition = `${own} and ${conversations.column('status')} = 'active' and exists (${tenant}) and ${free}`;
      const update = `update ${conversations.name} set ${set} where ${condition} returning ${this.#count}`;
      const values = messages.columnKeys.map((key) => (key === 'seq' ? 'messages' : of(key))).join(', ');
      return `with conversation as (${update}) insert into ${messages.name} (${columns}) select ${values} from conversation returning seq`;
    });
    const values = messages.values({ ...message, seq: 1 });
    return { statement, values, isOne: true, commits: true, locks: message.conversationId };
  }

  #oneStatementOfMany(given: readonly NewMessage[]): Step {
    const { messages } = this.#tables;
    const { columns, columnTypes } = messages.bulk;
    const statement = this.#fixed('append many', () => {
      const condition = `exists (${PLAIN_TENANT}) and ${this.#areFree}`;
      const lists = columnTypes.map((type) => `?::${bare(type)}[]`).join(', ');
      const names = columnTypes.map((_type, index) => `c${String(index)}`);
      const values = names.map((own, index) => (index === this.#seqIndex ? `messages - ?::bigint + ${own}` : own));
      const rows = `select ${values.join(', ')} from conversation, unnest(${lists}) as given (${names.join(', ')})`;
      return `with conversation as (${this.#advanceIf(condition, this.#count)}) insert into ${messages.name} (${columns}) ${rows} returning seq`;
    });
    const rows = given.map((message, index) => messages.values({ ...message, seq: index + 1 }));
    const lists = columnTypes.map((_type, index) => rows.map((row) => row[index]));
    const { tenantId, conversationId } = given[0] as NewMessage;
    const own = [tenantId, keysOf(given), tenantId, given.length];
    const values = [...this.#advanceValues(given), ...own, ...lists];
    return { statement, values, commits: true, locks: conversationId };
  }

  /** Raises the counters if the conversation takes messages, and a condition holds. */
  #advanceIf(condition: string, returned: string): string {
    return `${this.#advance.replaceAll(' + ?', ' + ?::bigint')} and ${condition} returning ${returned}`;
  }

  /** Whether nobody has used the key; the tenant's id and the key are its values. */
  #isFree(isKey: string): string {
    const { messages } = this.#tables;
    return `not exists (select from ${messages.name} where ${messages.column('tenantId')} = ? and ${messages.column('idempotencyKey')} ${isKey})`;
  }

  /**
   * Whether nobody has used any of the keys; the list of them and the tenant's id are its values. Each key is looked up by itself: the
   * server would join the list, or compare it with all keys of the tenant, where it takes them for few.
   */
  get #areFree(): string {
    return `not exists (select from unnest(?::text[]) as wanted (key) where not ${this.#isFree('= wanted.key offset 0')})`;
  }

  /** Inserts a message with the number that the conversation has given it. */
  #insertSelected(source: string): string {
    const { name, bulk } = this.#tables.messages;
    const values = bulk.columnTypes.map((type, index) => (index === this.#seqIndex ? 'messages' : `?::${bare(type)}`));
    return `insert into ${name} (${bulk.columns}) select ${values.join(', ')} from ${source}`;
  }

  /** What {@link #isFree} and {@link #insertSelected} take. */
  #ownValues(message: NewMessage): unknown[] {
    const values = this.#tables.messages.values({ ...message, seq: 0 });
    values.splice(this.#seqIndex, 1);
    return [message.tenantId, message.idempotencyKey, ...values];
  }

  *#inSteps(given: readonly NewMessage[]): Plan<Appended<Counters>> {
    if (!this.#abilities.returns) return yield* this.#inLockedSteps(given);
    const { tenantId, conversationId } = given[0] as NewMessage;
    const ask = this.#asksFirst(given);
    const [first] = ask ? yield ask : [];
    if (first && ask) return { first: ask.statement.toRow(first, ask.values) };
    const [advanced] = yield { statement: this.#advancing, values: this.#advanceValues(given), isOne: true };
    if (!advanced) {
      const status = this.#fixed('status', () => this.#conversationWhere('status'));
      const [found] = yield { statement: status, values: [tenantId, conversationId] };
      throw this.#refusal(conversationId, found !== undefined);
    }
    const counters = countersOf(advanced);
    yield this.#inserts(given, counters);
    return counters;
  }

  /** The last step: all messages, in their places. */
  #inserts(given: readonly NewMessage[], counters: Counters): Step {
    const { messages } = this.#tables;
    const before = counters.messages - given.length;
    const [only] = given;
    if (given.length === 1 && only) {
      return { statement: messages.insert, values: messages.values({ ...only, seq: before + 1 }), commits: true };
    }
    const statement = this.#fixed(`insert ${String(given.length)}`, () => {
      const [head = '', tuple = ''] = messages.insert.sql.split(' values ');
      return `${head} values ${given.map(() => tuple).join(', ')}`;
    });
    const values = given.flatMap((each, index) => messages.values({ ...each, seq: before + index + 1 }));
    return { statement, values, commits: true };
  }

  /** Where an update returns nothing: what it will make of the conversation is read first, under the row's lock. */
  *#inLockedSteps(given: readonly NewMessage[]): Plan<Appended<Counters>> {
    const { tenantId, conversationId } = given[0] as NewMessage;
    const { messages } = this.#tables;
    const keys = keysOf(given);
    const look = this.#fixed(`look ${String(keys.length)}`, () => {
      const first = keys.length === 0 ? 'null' : `(select 1 from ${messages.name} where ${this.#hasKey(keys)} limit 1)`;
      return `${this.#conversationWhere(`${this.#counters}, status, ${first} as known`)} for update`;
    });
    const asked = keys.length === 0 ? [] : [tenantId, ...keys];
    const [found] = yield { statement: look, values: [...asked, tenantId, conversationId] };
    const ask = !found || found['known'] !== null ? this.#asksFirst(given) : undefined;
    const [earlier] = ask ? yield ask : [];
    if (earlier && ask) return { first: ask.statement.toRow(earlier, ask.values) };
    if (found?.['status'] !== 'active') throw this.#refusal(conversationId, found !== undefined);
    yield { statement: this.#fixed('advance alone', () => this.#advance), values: this.#advanceValues(given) };
    const before = countersOf(found);
    const counters = { messages: before.messages + given.length, tokens: before.tokens + tokensOf(given) };
    yield this.#inserts(given, counters);
    return counters;
  }

  /** Asks for a message that has one of the keys, if there are any. */
  #asksFirst(given: readonly NewMessage[]): AskForFirst | undefined {
    const [only] = given;
    const { messages } = this.#tables;
    const keys = given.length === 1 ? [] : keysOf(given);
    if (given.length === 1 && only && only.idempotencyKey !== null) {
      const statement = messages.reading('first', ['idempotencyKey'], () => 'limit 1');
      return { statement, values: [only.tenantId, only.idempotencyKey], isOne: true };
    }
    if (keys.length === 0) return undefined;
    const statement = messages.reading(`first ${String(keys.length)}`, [], () => `and ${this.#isOneOf(keys)} limit 1`);
    return { statement, values: [(only as NewMessage).tenantId, ...keys], isOne: true };
  }

  #hasKey(keys: readonly string[]): string {
    return `${this.#tables.messages.column('tenantId')} = ? and ${this.#isOneOf(keys)}`;
  }

  #isOneOf(keys: readonly string[]): string {
    return `${this.#tables.messages.column('idempotencyKey')} in (${keys.map(() => '?').join(', ')})`;
  }

  #refusal(conversationId: string, isThere: boolean): Error {
    const { label } = this.#tables.conversations;
    if (!isThere) return new NotFoundError(label, conversationId);
    return new InvalidStateError(label, conversationId, 'archived', 'take messages');
  }

  // The parts of the statements

  get #seqIndex(): number {
    return this.#tables.messages.columnKeys.indexOf('seq');
  }

  get #count(): string {
    return `${this.#tables.conversations.column('messageCount')} as messages`;
  }

  get #counters(): string {
    return `${this.#count}, ${this.#tables.conversations.column('tokenCount')} as tokens`;
  }

  get #advance(): string {
    const { conversations } = this.#tables;
    const [count, tokens] = [conversations.column('messageCount'), conversations.column('tokenCount')];
    const times = `${conversations.column('lastMessageAt')} = ?, ${conversations.column('updatedAt')} = ?`;
    const own = `${conversations.column('tenantId')} = ? and ${conversations.column('id')} = ?`;
    const set = `${count} = ${count} + ?, ${tokens} = ${tokens} + ?, ${times}`;
    return `update ${conversations.name} set ${set} where ${own} and ${conversations.column('status')} = 'active'`;
  }

  #advanceValues(given: readonly NewMessage[]): unknown[] {
    const { tenantId, conversationId } = given[0] as NewMessage;
    const { createdAt } = given.at(-1) as NewMessage;
    return [given.length, tokensOf(given), createdAt, createdAt, tenantId, conversationId];
  }

  #conversationWhere(columns: string): string {
    const { conversations } = this.#tables;
    const own = `${conversations.column('tenantId')} = ? and ${conversations.column('id')} = ?`;
    return `select ${columns} from ${conversations.name} where ${own}`;
  }

  #fixed(name: string, make: () => string): FixedStatement {
    return this.#tables.messages.statement(name, make);
  }
}

function keysOf(given: readonly NewMessage[]): string[] {
  return given.flatMap(({ idempotencyKey }) => idempotencyKey ?? []);
}

function tokensOf(given: readonly NewMessage[]): number {
  return given.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
}

function countersOf({ messages, tokens }: RawRow): Counters {
  return { messages: Number(messages), tokens: Number(tokens) };
}

/** The quota comes as JSON text, or as what it says. */
function isPlain({ status, quota }: RawRow): boolean {
  if (quota === '{}') return status === 'active';
  const limits = (typeof quota === 'string' ? parseJson(quota) : quota) as TenantQuota;
  return status === 'active' && limits.messagesPerMonth === undefined && limits.tokensPerMonth === undefined;
}

/** A column's type without its length: a cast to a limited type would cut the value, which the column refuses. */
function bare(type: string): string {
  return type.replace(/\(.*\)/, '');
}
