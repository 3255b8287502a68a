import type { ArchivedConversation, ArchivedMessage } from './archive.js';
import {
  defined,
  metadataOf,
  optionalArray,
  optionalString,
  optionalStringOrNumber,
  requiredRole,
  requiredString,
  toObject,
} from './fields.js';
import { Rejection } from './rejection.js';

const ROLES: ReadonlyMap<string, ArchivedMessage['role']> = new Map([
  ['human', 'user'],
  ['user', 'user'],
  ['gpt', 'assistant'],
  ['chatgpt', 'assistant'],
  ['bard', 'assistant'],
  ['bing', 'assistant'],
  ['assistant', 'assistant'],
  ['model', 'assistant'],
  ['system', 'system'],
  ['function_call', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['function_response', 'tool'],
  ['observation', 'tool'],
]);

/** Speakers that the role says everything about; another one is kept in the message's metadata as `from`. */
const PLAIN_SPEAKERS = new Set(['human', 'user', 'gpt', 'assistant', 'system', 'tool']);

const CONVERSATION_FIELDS = new Set(['id', 'title', 'conversations', 'items']);
const MESSAGE_FIELDS = new Set(['from', 'value']);

/**
 * A conversation in ShareGPT's layout: `{"id"?,"conversations":[{"from","value"}]}`; `items` is an older name of `conversations`.
 *
 * @param unnamed gives the identifier of a conversation that has none
 * @throws Rejection
 */
export function readShareGpt(value: unknown, unnamed: () => string): ArchivedConversation {
  const subject = 'the conversation';
  const fields = toObject(value, subject);
  const messages = optionalArray(fields, 'conversations', subject) ?? optionalArray(fields, 'items', subject);
  if (messages === undefined) throw new Rejection(`${subject} has no "conversations"`);
  return defined<ArchivedConversation>({
    kind: 'conversation',
    source: 'sharegpt',
    id: optionalStringOrNumber(fields, 'id', subject) ?? unnamed(),
    title: optionalString(fields, 'title', subject),
    modality: 'text',
    metadata: metadataOf(fields, CONVERSATION_FIELDS, subject),
    messages: messages.map((message, index) => readMessage(message, `message ${index + 1}`)),
  });
}

function readMessage(value: unknown, subject: string): ArchivedMessage {
  const fields = toObject(value, subject);
  const role = requiredRole(fields, 'from', ROLES, subject);
  const from = requiredString(fields, 'from', subject);
  const metadata = metadataOf(fields, MESSAGE_FIELDS, subject);
  return defined<ArchivedMessage>({
    role,
    content: requiredString(fields, 'value', subject),
    metadata: PLAIN_SPEAKERS.has(from) ? metadata : { ...metadata, from },
  });
}
