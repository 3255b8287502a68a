import type { ArchivedConversation, ArchivedMessage } from './archive.js';
import {
  defined,
  metadataOf,
  optionalArray,
  optionalChoice,
  optionalInstant,
  optionalNumber,
  requiredRole,
  requiredString,
  toObject,
} from './fields.js';
import { Rejection } from './rejection.js';

const ROLES: ReadonlyMap<string, ArchivedMessage['role']> = new Map([
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['system', 'system'],
  ['tool', 'tool'],
]);

const MESSAGE_FIELDS = new Set([
  'role',
  'content',
  'at',
  'startMs',
  'endMs',
  'modality',
  'parts',
  'references',
  'tokenCount',
]);

/** @throws Rejection */
export function readMessage(
  value: unknown,
  subject: string,
  conversationModality: ArchivedConversation['modality'],
): ArchivedMessage {
  const fields = toObject(value, subject);
  const startMs = optionalNumber(fields, 'startMs', subject);
  const endMs = optionalNumber(fields, 'endMs', subject);
  if (startMs !== undefined && endMs !== undefined && endMs < startMs) {
    throw new Rejection(`${subject} has an "endMs" before its "startMs"`);
  }
  const tokenCount = optionalNumber(fields, 'tokenCount', subject);
  if (tokenCount !== undefined && !Number.isSafeInteger(tokenCount)) {
    throw new Rejection(`${subject}: "tokenCount" is not a whole number`);
  }
  const modality = optionalChoice(fields, 'modality', ['text', 'voice', 'image'], subject);
  return defined<ArchivedMessage>({
    role: requiredRole(fields, 'role', ROLES, subject),
    content: requiredString(fields, 'content', subject),
    at: optionalInstant(fields, 'at', subject),
    startMs,
    endMs,
    modality: modality === conversationModality ? undefined : modality,
    parts: optionalArray(fields, 'parts', subject),
    references: optionalArray(fields, 'references', subject),
    tokenCount,
    metadata: metadataOf(fields, MESSAGE_FIELDS, subject),
  });
}
