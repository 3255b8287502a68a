import { ARCHIVE_METADATA, type ArchiveMetadata } from '../entities/archive-metadata.js';
import type { Conversation } from '../entities/conversation.js';
import type { Document } from '../entities/document.js';
import type { Message } from '../entities/message.js';
import type { User } from '../entities/user.js';
import type { VoiceSession } from '../entities/voice-session.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Runtime } from '../runtime.js';
import { checksumOf } from '../services/documents.service.js';
import type { ArchivedConversation, ArchivedDocument, ArchivedMessage, ArchivedVoiceSession } from './archive.js';
import { anonymousExternalId, OWN_SOURCE, toExternalId } from './external-key.js';

/** The rows of one archived conversation, with ids, ready to be stored once the id of its user is known. */
export interface ConversationRows {
  readonly conversation: Row<Conversation>;
  readonly messages: readonly Row<Message>[];
  readonly voiceSessions: readonly Row<VoiceSession>[];
}

/** Makes rows of archived records for one tenant. It gives ids and times, and judges nothing. */
export class ArchiveRows {
  readonly #runtime: Runtime;
  readonly #tenantId: string;
  readonly #now: Date;

  constructor(runtime: Runtime, tenantId: string) {
    this.#runtime = runtime;
    this.#tenantId = tenantId;
    this.#now = runtime.clock.now();
  }

  /** The user of a conversation that does not exist yet. */
  user(externalId: string, username: string): Row<User> {
    return {
      ...this.#head(),
      externalId,
      username,
      nickname: null,
      email: null,
      phone: null,
      metadata: {},
      role: 'user',
      status: 'active',
      version: 1,
    };
  }

  conversation(archived: ArchivedConversation, userId: string): ConversationRows {
    const externalId = toExternalId(archived.source, archived.id);
    const head = this.#head();
    const messages = this.#messages(archived, head.id);
    const conversation: Row<Conversation> = {
      ...head,
      createdAt: instantOf(archived.messages.find(({ at }) => at !== undefined)?.at) ?? this.#now,
      userId,
      externalId,
      title: archived.title ?? null,
      summary: archived.summary ?? null,
      metadata: withArchive(archived.metadata, {
        ...(archived.modality === 'voice' && { modality: archived.modality }),
        ...(archived.lang !== undefined && { lang: archived.lang }),
        ...(archived.participants?.assistant !== undefined && { assistant: archived.participants.assistant }),
      }),
      messageCount: messages.length,
      tokenCount: messages.reduce((sum, { tokenCount }) => sum + tokenCount, 0),
      lastMessageAt: messages.at(-1)?.createdAt ?? null,
      status: archived.status ?? 'active',
      version: 1,
    };
    return { conversation, messages, voiceSessions: this.#voiceSessions(archived, conversation) };
  }

  document(archived: ArchivedDocument): Row<Document> {
    return {
      ...this.#head(),
      externalId: archived.externalId,
      title: archived.title,
      content: archived.content,
      contentType: archived.contentType,
      source: archived.source,
      checksum: checksumOf(archived.content),
      metadata: { ...archived.metadata },
      status: archived.status ?? 'active',
      version: 1,
    };
  }

  #head() {
    return { tenantId: this.#tenantId, id: this.#runtime.ids.next(), createdAt: this.#now, updatedAt: this.#now };
  }

  #messages(archived: ArchivedConversation, conversationId: string): Row<Message>[] {
    let last = this.#now;
    const firstAt = archived.messages.find(({ at }) => at !== undefined)?.at;
    if (firstAt !== undefined) last = new Date(firstAt);
    return archived.messages.map((message, index) => {
      // A message whose time the archive does not give stands at the time of the one before it.
      last = instantOf(message.at) ?? last;
      return {
        ...this.#head(),
        createdAt: last,
        conversationId,
        seq: index + 1,
        role: message.role,
        content: message.content,
        parts: message.parts ? [...message.parts] : null,
        modality: message.modality ?? archived.modality,
        tokenCount: message.tokenCount ?? 0,
        references: message.references ? [...message.references] : null,
        metadata: withArchive(message.metadata, placeOf(message)),
        idempotencyKey: null,
      };
    });
  }

  #voiceSessions(archived: ArchivedConversation, conversation: Row<Conversation>): Row<VoiceSession>[] {
    if (archived.voiceSessions)
      return archived.voiceSessions.map((session) => this.#voiceSession(session, conversation));
    return archived.modality === 'voice' ? [this.#derivedVoiceSession(archived, conversation)] : [];
  }

  #voiceSession(session: ArchivedVoiceSession, conversation: Row<Conversation>): Row<VoiceSession> {
    return {
      ...this.#head(),
      externalId: session.externalId,
      userId: conversation.userId,
      conversationId: conversation.id,
      config: { ...session.config },
      startTime: new Date(session.startTime),
      endTime: instantOf(session.endTime),
      durationSeconds: session.durationSeconds ?? null,
      audioDurationSeconds: session.audioDurationSeconds ?? null,
      metadata: { ...session.metadata },
      status: session.status,
      version: 1,
    };
  }

  /** The call that a voice conversation is the transcript of, as far as its messages tell. */
  #derivedVoiceSession({ messages }: ArchivedConversation, conversation: Row<Conversation>): Row<VoiceSession> {
    const recorded = messages.reduce((latest, { endMs }) => Math.max(latest, endMs ?? 0), 0);
    const instants = messages.flatMap(({ at }) => (at === undefined ? [] : [Date.parse(at)]));
    const span = instants.length > 0 ? Math.max(...instants) - Math.min(...instants) : undefined;
    const startTime = instants.length > 0 ? new Date(Math.min(...instants)) : this.#now;
    const duration = recorded > 0 ? recorded : span;
    return {
      ...this.#head(),
      externalId: conversation.externalId ?? conversation.id,
      userId: conversation.userId,
      conversationId: conversation.id,
      config: {},
      startTime,
      endTime: new Date(startTime.getTime() + (duration ?? 0)),
      durationSeconds: duration === undefined ? null : duration / 1000,
      audioDurationSeconds: recorded > 0 ? recorded / 1000 : null,
      metadata: withArchive(undefined, { derived: true, ...(instants.length === 0 && { at: null }) }),
      status: 'completed',
      version: 1,
    };
  }
}

/** The external id and the name of a conversation's user. */
export function userOf({ source, participants }: ArchivedConversation): { externalId: string; username: string } {
  const name = participants?.user;
  if (name === undefined) return { externalId: anonymousExternalId(source), username: source };
  // Colloquy's own export names users by their external ids.
  return { externalId: source === OWN_SOURCE ? name : toExternalId(source, name), username: name };
}

function placeOf(message: ArchivedMessage): ArchiveMetadata {
  return {
    at: message.at ?? null,
    ...(message.startMs !== undefined && { startMs: message.startMs }),
    ...(message.endMs !== undefined && { endMs: message.endMs }),
  };
}

function withArchive(metadata: Readonly<Record<string, unknown>> | undefined, archive: ArchiveMetadata) {
  return { ...metadata, ...(Object.keys(archive).length > 0 && { [ARCHIVE_METADATA]: archive }) };
}

function instantOf(at: string | undefined): Date | null {
  return at === undefined ? null : new Date(at);
}
