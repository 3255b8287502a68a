import { ARCHIVE_METADATA, type ArchiveMetadata } from '../entities/archive-metadata.js';
import type { Conversation } from '../entities/conversation.js';
import type { Document } from '../entities/document.js';
import type { Message } from '../entities/message.js';
import type { VoiceSession } from '../entities/voice-session.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import type { TenantContext } from '../services/tenant-context.js';
import type { UnitOfWork } from '../services/unit-of-work.js';
import { anonymousExternalId, fromExternalId, OWN_SOURCE } from './external-key.js';

export interface ExportCounts {
  conversations: number;
  messages: number;
  documents: number;
}

export interface ExportOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((counts: Readonly<ExportCounts>) => void) | undefined;
}

const PAGE = 100;
const MESSAGES = 1_000;

/**
 * Writes all conversations of a tenant, with their messages and voice sessions, then its documents, as Colloquy JSON lines in the
 * order in which they came in. Each line is a whole conversation as it stood when it was read. Importing the lines into an empty
 * tenant and exporting again gives the same bytes.
 *
 * @param write Takes one line with its line feed; the next one is made when it has resolved.
 * @throws NotFoundError when there is no such tenant, the signal's reason when it is aborted.
 */
export async function exportArchive(
  tenant: TenantContext,
  write: (line: string) => Promise<void>,
  options: ExportOptions = {},
): Promise<ExportCounts> {
  const counts: ExportCounts = { conversations: 0, messages: 0, documents: 0 };
  const put = async (line: object): Promise<void> => {
    options.signal?.throwIfAborted();
    await write(`${JSON.stringify(line)}\n`);
    options.onProgress?.(counts);
  };
  for await (const conversation of everyRow(tenant, (unit, page) => unit.conversations.readPage(page))) {
    const messages = await readMessages(tenant, conversation);
    counts.conversations += 1;
    counts.messages += messages.length;
    await put(await conversationLine(tenant, conversation, messages));
  }
  for await (const document of everyRow(tenant, (unit, page) => unit.documents.readPage(page))) {
    counts.documents += 1;
    await put(documentLine(document));
  }
  return counts;
}

async function* everyRow<R extends object>(
  tenant: TenantContext,
  read: (unit: UnitOfWork, page: PageRequest) => Promise<Page<R>>,
): AsyncGenerator<R> {
  let after: string | undefined;
  do {
    const request = { after, limit: PAGE };
    const page = await tenant.read((unit) => read(unit, request));
    yield* page.items;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** Messages up to the count that the conversation had when it was read, so that the line is one state of it. */
async function readMessages(tenant: TenantContext, { id, messageCount }: Row<Conversation>): Promise<Row<Message>[]> {
  const messages: Row<Message>[] = [];
  while (messages.length < messageCount) {
    const after = messages.length;
    const limit = Math.min(MESSAGES, messageCount - after);
    const next = await tenant.messages.history(id, { after, limit });
    if (next.length === 0) throw new Error(`Conversation ${id} has lost messages after ${String(after)}.`);
    messages.push(...next);
  }
  return messages;
}

async function conversationLine(
  tenant: TenantContext,
  row: Row<Conversation>,
  messages: readonly Row<Message>[],
): Promise<object> {
  const { source, id } = fromExternalId(row.externalId ?? row.id);
  const { archive, metadata } = split(row.metadata);
  const [user, sessions] = await tenant.read((unit) =>
    Promise.all([unit.users.readById(row.userId), unit.voiceSessions.readOfConversation(row.id)]),
  );
  const participant = participantOf(user.externalId, source);
  const isDerived = (session: Row<VoiceSession>) => split(session.metadata).archive.derived === true;
  const described = sessions.filter((session) => !isDerived(session));
  const modality =
    archive.modality === 'voice' || sessions.some(isDerived) || messages.some((message) => message.modality === 'voice')
      ? 'voice'
      : 'text';
  return withoutAbsent({
    source,
    id,
    title: row.title,
    lang: archive.lang,
    modality,
    participants: withoutAbsent({ user: participant, assistant: archive.assistant }),
    summary: row.summary,
    status: row.status === 'active' ? undefined : row.status,
    metadata,
    messages: messages.map((message) => messageLine(message, modality)),
    // A voice conversation without this key gets a session made of its messages, so an empty list must be written.
    voiceSessions:
      described.length > 0 || (modality === 'voice' && sessions.length === 0) ? described.map(sessionLine) : undefined,
  });
}

function messageLine(row: Row<Message>, modality: string): object {
  const { archive, metadata } = split(row.metadata);
  return withoutAbsent({
    role: row.role,
    content: row.content,
    at: archive.at === undefined ? row.createdAt.toISOString() : archive.at,
    startMs: archive.startMs,
    endMs: archive.endMs,
    modality: row.modality === modality ? undefined : row.modality,
    parts: row.parts,
    references: row.references,
    tokenCount: row.tokenCount === 0 ? undefined : row.tokenCount,
    metadata,
  });
}

function sessionLine(row: Row<VoiceSession>): object {
  return withoutAbsent({
    externalId: row.externalId,
    status: row.status,
    startTime: row.startTime.toISOString(),
    endTime: row.endTime?.toISOString(),
    durationSeconds: row.durationSeconds,
    audioDurationSeconds: row.audioDurationSeconds,
    config: row.config,
    metadata: row.metadata,
  });
}

function documentLine(row: Row<Document>): object {
  const source = row.source ?? row.externalId;
  return withoutAbsent({
    kind: 'document',
    externalId: row.externalId === source ? undefined : row.externalId,
    title: row.title,
    content: row.content,
    contentType: row.contentType,
    source,
    status: row.status === 'active' ? undefined : row.status,
    metadata: row.metadata,
  });
}

/** The name of a user within a source; undefined for the one who stands for all whom the source does not name. */
function participantOf(externalId: string, source: string): string | undefined {
  if (externalId === anonymousExternalId(source)) return undefined;
  const user = fromExternalId(externalId);
  return user.source === source && source !== OWN_SOURCE ? user.id : externalId;
}

function split(metadata: Readonly<Record<string, unknown>> | null): {
  readonly archive: ArchiveMetadata;
  readonly metadata: Record<string, unknown>;
} {
  const { [ARCHIVE_METADATA]: archive, ...rest } = metadata ?? {};
  // An application may have put something else there, which is its own then.
  const isOurs = typeof archive === 'object' && archive !== null && !Array.isArray(archive);
  return isOurs ? { archive, metadata: rest } : { archive: {}, metadata: { ...metadata } };
}

/** Keys whose value says nothing (null, undefined, an empty object) are not written. */
function withoutAbsent(line: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(line).filter(([, value]) => {
      if (value === null || value === undefined) return false;
      return typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length > 0;
    }),
  );
}
