/**
 * The words of an archive: a file holds *records*; a record is a conversation or a document. Readers turn a published format into
 * records; the importer stores them; the exporter writes records back as Colloquy JSON lines.
 */

/** Published formats that can be read. `colloquy` holds conversations and documents, one JSON object a line. */
export const ARCHIVE_FORMATS = ['colloquy', 'sharegpt', 'openai', 'chatgpt', 'documents'] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

export interface ArchivedMessage {
  readonly role: 'user' | 'assistant' | 'system' | 'tool';
  readonly content: string;
  /** ISO 8601 with an offset, exactly as the archive has it. */
  readonly at?: string;
  /** Milliseconds from the beginning of the recording. */
  readonly startMs?: number;
  readonly endMs?: number;
  /** Given only where it differs from the conversation's. */
  readonly modality?: 'text' | 'voice' | 'image';
  readonly parts?: readonly unknown[];
  readonly references?: readonly unknown[];
  readonly tokenCount?: number;
  /** Keys of the archive that have no field of their own. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A voice session that the archive describes by itself; a voice conversation without one gets one made of its messages. */
export interface ArchivedVoiceSession {
  readonly externalId: string;
  readonly status: 'active' | 'completed' | 'failed' | 'cancelled';
  readonly startTime: string;
  readonly endTime?: string;
  readonly durationSeconds?: number;
  readonly audioDurationSeconds?: number;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface ArchivedConversation {
  readonly kind: 'conversation';
  /** `source` and `id` together are the key. */
  readonly source: string;
  readonly id: string;
  readonly title?: string;
  readonly summary?: string;
  readonly status?: 'active' | 'archived';
  /** BCP 47. */
  readonly lang?: string;
  readonly modality: 'text' | 'voice';
  readonly participants?: { readonly user?: string; readonly assistant?: string };
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly messages: readonly ArchivedMessage[];
  readonly voiceSessions?: readonly ArchivedVoiceSession[];
}

export interface ArchivedDocument {
  readonly kind: 'document';
  /** `externalId` where the archive has one, else `source`. */
  readonly externalId: string;
  readonly title: string;
  readonly content: string;
  readonly contentType: string;
  readonly source: string;
  readonly status?: 'active' | 'archived' | 'deleted';
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export type ArchiveRecord = ArchivedConversation | ArchivedDocument;

/** What a reader yields: a record with the line it begins on (from 1), or the reason why there is none. */
export type ArchiveEntry =
  { readonly line: number; readonly record: ArchiveRecord } | { readonly line: number; readonly reason: string };

export interface ReadOptions {
  /** Reads the file as this format instead of the detected one. */
  readonly format?: ArchiveFormat;
  readonly signal?: AbortSignal;
  /** Called as the file is read, with bytes of the file as it lies on disk (compressed, if it is). */
  readonly onProgress?: (bytesRead: number) => void;
}
