import type { ArchivedMessage } from './archive.js';
import {
  defined,
  isObject,
  type JsonObject,
  metadataOf,
  optionalArray,
  optionalObject,
  optionalString,
  requiredRole,
} from './fields.js';
import { quote, Rejection } from './rejection.js';

const ROLES: ReadonlyMap<string, ArchivedMessage['role']> = new Map([
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['system', 'system'],
  ['tool', 'tool'],
]);

const MESSAGE_FIELDS = new Set(['id', 'author', 'create_time', 'content']);

/** Content types whose `text` is everything they have to say; what others have is kept in `parts` as it is. */
const TEXT_TYPES = new Set(['code', 'execution_output']);

/**
 * A message of a ChatGPT export; undefined if it says nothing, as the hidden ones that the service puts in do.
 *
 * @throws Rejection
 */
export function readMessage(nodeId: string, message: JsonObject): ArchivedMessage | undefined {
  const subject = `message ${quote(nodeId)}`;
  const author = optionalObject(message, 'author', subject) ?? {};
  const role = requiredRole(author, 'role', ROLES, subject);
  const metadata = metadataOf(message, MESSAGE_FIELDS, subject) ?? {};
  const { contentType, language, ...content } = readContent(message, subject);
  const isSaid = role === 'user' && metadata['is_visually_hidden_from_conversation'] !== true;
  if (content.content === '' && content.parts === undefined && !isSaid) return undefined;
  return defined<ArchivedMessage>({
    role,
    ...content,
    at: instantOf(message['create_time'], subject),
    metadata: withoutNulls({
      ...metadata,
      nodeId,
      contentType: contentType === 'text' ? undefined : contentType,
      language,
      authorName: optionalString(author, 'name', subject),
    }),
  });
}

interface Content extends Pick<ArchivedMessage, 'content' | 'parts' | 'modality'> {
  readonly contentType: string;
  /** Of code. */
  readonly language?: unknown;
}

function readContent(message: JsonObject, subject: string): Content {
  const raw = optionalObject(message, 'content', subject) ?? {};
  const contentType = optionalString(raw, 'content_type', subject) ?? 'text';
  const text = optionalString(raw, 'text', subject) ?? '';
  if (TEXT_TYPES.has(contentType)) return { contentType, content: text, language: raw['language'] };
  if (contentType !== 'text' && contentType !== 'multimodal_text') return { contentType, content: text, parts: [raw] };
  const all = optionalArray(raw, 'parts', subject) ?? [];
  const parts = all.filter((part) => typeof part !== 'string' && part !== null);
  return defined<Content>({
    contentType,
    content: all
      .map(textOf)
      .filter((said) => said !== undefined && said !== '')
      .join('\n'),
    parts: parts.length === 0 ? undefined : parts,
    modality: modalityOf(parts),
  });
}

/** What was said by voice is written in the transcription beside the recording. */
function textOf(part: unknown): string | undefined {
  if (typeof part === 'string') return part;
  const isSpoken = isObject(part) && part['content_type'] === 'audio_transcription';
  return isSpoken && typeof part['text'] === 'string' ? part['text'] : undefined;
}

function modalityOf(parts: readonly unknown[]): ArchivedMessage['modality'] {
  const types = new Set(parts.map((part) => (isObject(part) ? part['content_type'] : undefined)));
  if (types.has('image_asset_pointer')) return 'image';
  return types.has('audio_transcription') || types.has('audio_asset_pointer') ? 'voice' : undefined;
}

/** Seconds since 1970, with a fraction. */
function instantOf(seconds: unknown, subject: string): string | undefined {
  if (seconds === undefined || seconds === null) return undefined;
  const time = new Date(typeof seconds === 'number' ? Math.round(seconds * 1000) : Number.NaN);
  const year = time.getUTCFullYear();
  if (year >= 0 && year <= 9999) return time.toISOString();
  throw new Rejection(`${subject}: "create_time" is not a time in seconds`);
}

/** The export writes every field that it has no value for as null. */
export function withoutNulls(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}
