import { ARCHIVE_METADATA, ArchiveMetadata } from '../entities/archive-metadata.js';
import { Conversation } from '../entities/conversation.js';
import { Document } from '../entities/document.js';
import { Message } from '../entities/message.js';
import { User } from '../entities/user.js';
import { VoiceSession } from '../entities/voice-session.js';
import type { ValidationIssue } from '../errors.js';
import type { Row } from '../repositories/compiled-table.js';
import { insertRows } from '../repositories/insert-rows.js';
import { writeFreeKey } from '../repositories/race.js';
import { runtimeOf } from '../runtime.js';
import type { UnitOfWork } from '../services/unit-of-work.js';
import type { ArchivedConversation, ArchivedDocument, ArchiveRecord } from './archive.js';
import { ArchiveRows, type ConversationRows, userOf } from './archive-rows.js';
import { toExternalId } from './external-key.js';

/** A record with the line on which it begins. */
export interface NumberedRecord {
  readonly line: number;
  readonly record: ArchiveRecord;
}

/** A record that was left out, whole, and why. */
export interface Rejected {
  readonly line: number;
  readonly reason: string;
}

/** What one batch, or a whole import, did. `present` counts records that were there already. */
export interface ImportCounts {
  conversations: { added: number; present: number };
  documents: { added: number; present: number };
  messages: number;
  voiceSessions: number;
  users: number;
  rejected: number;
}

export function noCounts(): ImportCounts {
  return {
    conversations: { added: 0, present: 0 },
    documents: { added: 0, present: 0 },
    messages: 0,
    voiceSessions: 0,
    users: 0,
    rejected: 0,
  };
}

export interface BatchResult {
  readonly counts: ImportCounts;
  readonly rejected: readonly Rejected[];
}

/**
 * Stores records within a unit of work. A record is stored whole or not at all: its rows are judged by the entities' rules before
 * the first of them is written. A key that exists already is left as it is.
 */
export async function storeBatch(unit: UnitOfWork, batch: readonly NumberedRecord[]): Promise<BatchResult> {
  // Another process may import the same records.
  return writeFreeKey(() => new BatchStore(unit).store(batch));
}

class BatchStore {
  readonly #unit: UnitOfWork;
  readonly #rows: ArchiveRows;
  readonly #counts = noCounts();
  readonly #rejected: Rejected[] = [];

  constructor(unit: UnitOfWork) {
    this.#unit = unit;
    this.#rows = new ArchiveRows(runtimeOf(unit.em), unit.users.tenantId);
  }

  async store(batch: readonly NumberedRecord[]): Promise<BatchResult> {
    await this.#storeConversations(batch.filter(isConversation));
    await this.#storeDocuments(batch.filter(isDocument));
    this.#counts.rejected = this.#rejected.length;
    return { counts: this.#counts, rejected: this.#rejected };
  }

  async #storeConversations(all: readonly Numbered<ArchivedConversation>[]): Promise<void> {
    const { em, conversations } = this.#unit;
    const keys = all.map(({ record }) => toExternalId(record.source, record.id));
    const present = await conversations.readIdsByExternalId(keys);
    const fresh = all.filter((_numbered, index) => !present.has(keys[index] ?? ''));
    this.#counts.conversations.present += all.length - fresh.length;

    const users = await this.#findUsers(fresh);
    const accepted: ConversationRows[] = [];
    const calls = await this.#takenVoiceSessions(fresh);
    for (const { line, record } of fresh) {
      const user = users.get(userOf(record).externalId);
      if (user === undefined) continue;
      const rows = this.#rows.conversation(record, user.id);
      const reason = this.#objection(record, rows, user, calls);
      if (reason !== undefined) {
        this.#rejected.push({ line, reason });
        continue;
      }
      accepted.push(rows);
      for (const session of rows.voiceSessions) calls.add(session.externalId);
    }

    await this.#storeUsers(accepted, users);
    const messages = accepted.flatMap((rows) => rows.messages);
    const voiceSessions = accepted.flatMap((rows) => rows.voiceSessions);
    const conversationRows = accepted.map(({ conversation }) => conversation);
    await insertRows(em, Conversation, conversationRows);
    await insertRows(em, Message, messages);
    await insertRows(em, VoiceSession, voiceSessions);
    this.#counts.conversations.added += accepted.length;
    this.#counts.messages += messages.length;
    this.#counts.voiceSessions += voiceSessions.length;
  }

  /** The users of the conversations, by external id: those who are there by their id alone, new ones by their row. */
  async #findUsers(all: readonly Numbered<ArchivedConversation>[]): Promise<Map<string, FoundUser>> {
    const names = new Map(all.map(({ record }) => [userOf(record).externalId, userOf(record).username]));
    const ids = await this.#unit.users.readIdsByExternalId([...names.keys()]);
    const found = new Map<string, FoundUser>();
    for (const [externalId, username] of names) {
      const id = ids.get(externalId);
      const row = id === undefined ? this.#rows.user(externalId, username) : undefined;
      found.set(externalId, { id: id ?? row?.id ?? '', row });
    }
    return found;
  }

  /** Stores the new users whom accepted conversations name. */
  async #storeUsers(accepted: readonly ConversationRows[], users: ReadonlyMap<string, FoundUser>): Promise<void> {
    const named = new Set(accepted.map(({ conversation }) => conversation.userId));
    const rows = [...users.values()].flatMap(({ id, row }) => (row && named.has(id) ? [row] : []));
    await insertRows(this.#unit.em, User, rows);
    this.#counts.users += rows.length;
  }

  /** External ids of voice sessions that exist already, among those that the records bring. */
  async #takenVoiceSessions(all: readonly Numbered<ArchivedConversation>[]): Promise<Set<string>> {
    const ids = all.flatMap(({ record }) =>
      record.voiceSessions
        ? record.voiceSessions.map(({ externalId }) => externalId)
        : record.modality === 'voice'
          ? [toExternalId(record.source, record.id)]
          : [],
    );
    return new Set((await this.#unit.voiceSessions.readIdsByExternalId(ids)).keys());
  }

  /** Why the rows cannot be stored, or undefined. */
  #objection(
    record: ArchivedConversation,
    rows: ConversationRows,
    user: FoundUser,
    calls: ReadonlySet<string>,
  ): string | undefined {
    const { rules } = runtimeOf(this.#unit.em);
    const userIssues = user.row ? rules.of(User).issues(user.row) : [];
    if (userIssues.length > 0) return describe(userIssues, 'its user');
    if (record.metadata && ARCHIVE_METADATA in record.metadata) return reserved('its metadata');
    const issues = [
      ...rules.of(Conversation).issues(rows.conversation),
      ...rules.of(ArchiveMetadata).issues(record.lang === undefined ? {} : { lang: record.lang }),
    ];
    if (issues.length > 0) return describe(issues, 'the conversation');
    const messageRules = rules.of(Message);
    for (const [index, message] of rows.messages.entries()) {
      const name = `message ${String(index + 1)}`;
      const given = record.messages[index]?.metadata;
      if (given && ARCHIVE_METADATA in given) return reserved(`the metadata of ${name}`);
      const broken = messageRules.issues(message);
      if (broken.length > 0) return describe(broken, name);
    }
    const own = new Set<string>();
    for (const session of rows.voiceSessions) {
      const broken = rules.of(VoiceSession).issues(session);
      if (broken.length > 0) return describe(broken, 'its voice session');
      if (calls.has(session.externalId)) return 'its voice session belongs to another conversation already';
      if (own.has(session.externalId)) return 'it names a voice session twice';
      own.add(session.externalId);
    }
    return undefined;
  }

  async #storeDocuments(all: readonly Numbered<ArchivedDocument>[]): Promise<void> {
    const { em, documents } = this.#unit;
    const present = await documents.readIdsByExternalId(all.map(({ record }) => record.externalId));
    const fresh = all.filter(({ record }) => !present.has(record.externalId));
    this.#counts.documents.present += all.length - fresh.length;
    const rules = runtimeOf(em).rules.of(Document);
    const accepted = fresh.flatMap(({ line, record }) => {
      const row = this.#rows.document(record);
      const issues = rules.issues(row);
      if (issues.length === 0) return [row];
      this.#rejected.push({ line, reason: describe(issues, 'the document') });
      return [];
    });
    await insertRows(em, Document, accepted);
    this.#counts.documents.added += accepted.length;
  }
}

/** A user's id, and the row of one who is not stored yet. */
interface FoundUser {
  readonly id: string;
  readonly row: Row<User> | undefined;
}

interface Numbered<Record extends ArchiveRecord> extends NumberedRecord {
  readonly record: Record;
}

function isConversation(numbered: NumberedRecord): numbered is Numbered<ArchivedConversation> {
  return numbered.record.kind === 'conversation';
}

function isDocument(numbered: NumberedRecord): numbered is Numbered<ArchivedDocument> {
  return numbered.record.kind === 'document';
}

function describe(issues: readonly ValidationIssue[], subject: string): string {
  return `${subject}: ${issues.map(({ path, message }) => `${path} ${message}`).join('; ')}`;
}

function reserved(subject: string): string {
  return `${subject} has the key "${ARCHIVE_METADATA}", which is kept for imports`;
}
