import type { ArchivedConversation, ArchivedMessage } from './archive.js';
import {
  defined,
  type JsonObject,
  metadataOf,
  optionalString,
  optionalStringOrNumber,
  requiredArray,
  requiredRole,
  toObject,
} from './fields.js';
import { Rejection } from './rejection.js';

const ROLES: ReadonlyMap<string, ArchivedMessage['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
]);

/** A message that has one of these says something even if its content is null. */
const SUBSTITUTES = ['tool_calls', 'function_call', 'refusal', 'audio'];

const CONVERSATION_FIELDS = new Set(['id', 'title', 'messages']);
const MESSAGE_FIELDS = new Set(['role', 'content']);

/**
 * A line of a fine-tuning or chat-completions file: `{"messages":[{"role","content",…}]}`. The text parts of a content that is an
 * array become the content, and the whole array is kept in `parts`.
 *
 * @param unnamed gives the identifier of a conversation that has none
 * @throws Rejection
 */
export function readOpenAi(value: unknown, unnamed: () => string): ArchivedConversation {
  const subject = 'the conversation';
  const fields = toObject(value, subject);
  const messages = requiredArray(fields, 'messages', subject);
  return defined<ArchivedConversation>({
    kind: 'conversation',
    source: 'openai',
    id: optionalStringOrNumber(fields, 'id', subject) ?? unnamed(),
    title: optionalString(fields, 'title', subject),
    modality: 'text',
    metadata: metadataOf(fields, CONVERSATION_FIELDS, subject),
    messages: messages.map((message, index) => readMessage(message, `message ${index + 1}`)),
  });
}

function readMessage(value: unknown, subject: string): ArchivedMessage {
  const fields = toObject(value, subject);
  const role = requiredRole(fields, 'role', ROLES, subject);
  const metadata = metadataOf(fields, MESSAGE_FIELDS, subject);
  return defined<ArchivedMessage>({
    role,
    ...readContent(fields, subject),
    metadata: role === fields['role'] ? metadata : { ...metadata, originalRole: fields['role'] },
  });
}

function readContent(message: JsonObject, subject: string): Pick<ArchivedMessage, 'content' | 'parts' | 'modality'> {
  const content = message['content'] ?? null;
  if (typeof content === 'string') return { content };
  if (content === null) {
    const substitutes = SUBSTITUTES.filter((key) => (message[key] ?? null) !== null);
    // They stay in the metadata under their own names; as parts they are what the message says.
    if (substitutes.length > 0)
      return { content: '', parts: substitutes.map((key) => ({ type: key, [key]: message[key] })) };
    throw new Rejection(`${subject} has no "content"`);
  }
  if (!Array.isArray(content)) throw new Rejection(`${subject}: "content" is not a string or an array`);
  const parts = content.map((part) => toObject(part, `a part of ${subject}`));
  const texts = parts.map((part) => part['text']).filter((text) => typeof text === 'string');
  return { content: texts.join('\n'), parts, ...modalityOf(parts) };
}

function modalityOf(parts: readonly JsonObject[]): Pick<ArchivedMessage, 'modality'> {
  if (parts.some((part) => 'image_url' in part)) return { modality: 'image' };
  if (parts.some((part) => 'input_audio' in part)) return { modality: 'voice' };
  return {};
}
