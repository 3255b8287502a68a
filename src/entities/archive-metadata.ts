import { IsOptional } from 'class-validator';
import { IsLanguageTag } from './rules.js';

/** The key under which an imported row's metadata keeps what the archive says and no column holds. */
export const ARCHIVE_METADATA = 'colloquyArchive';

/** What a row's metadata keeps of an archive, and the rules of what no entity judges; see the properties for which rows have which. */
export class ArchiveMetadata {
  /** Conversations: the language (BCP 47). */
  @IsOptional()
  @IsLanguageTag()
  readonly lang?: string;
  /** Conversations: the name of the assistant's part. */
  readonly assistant?: string;
  /** Conversations: that they were spoken. */
  readonly modality?: 'voice';
  /**
   * Messages: when it was sent, as written; null where the archive does not say. Messages made here have no such key.
   * Voice sessions made of messages: null where the archive has no time of any of these.
   */
  readonly at?: string | null;
  /** Messages: the place in the recording, in milliseconds. */
  readonly startMs?: number;
  readonly endMs?: number;
  /** Voice sessions: made of a voice conversation's messages, not described by the archive. */
  readonly derived?: true;
}
