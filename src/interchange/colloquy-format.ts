import type { ArchivedConversation, ArchiveRecord } from './archive.js';
import { readMessage } from './colloquy-message.js';
import { readVoiceSession } from './colloquy-voice-session.js';
import { readDocument } from './documents-format.js';
import {
  defined,
  type JsonObject,
  metadataOf,
  optionalArray,
  optionalChoice,
  optionalObject,
  optionalString,
  requiredArray,
  requiredKey,
  toObject,
} from './fields.js';

const CONVERSATION_FIELDS = new Set([
  'kind',
  'source',
  'id',
  'title',
  'summary',
  'status',
  'lang',
  'modality',
  'participants',
  'messages',
  'voiceSessions',
]);

const PARTICIPANT_FIELDS = new Set(['user', 'assistant']);

/**
 * A line of Colloquy's own format: a conversation if it has `messages`, else a document if it says so by its `kind` or has `title`
 * and `content`. `modality` is `text` where the line has none.
 *
 * @throws Rejection
 */
export function readColloquy(value: unknown): ArchiveRecord {
  const fields = toObject(value, 'the record');
  const hasMessages = (fields['messages'] ?? undefined) !== undefined;
  const isDocument = fields['kind'] === 'document' || ('title' in fields && 'content' in fields);
  return isDocument && !hasMessages ? readDocument(fields) : readConversation(fields);
}

function readConversation(fields: JsonObject): ArchivedConversation {
  const subject = 'the conversation';
  optionalChoice(fields, 'kind', ['conversation'], subject);
  const modality = optionalChoice(fields, 'modality', ['text', 'voice'], subject) ?? 'text';
  const messages = requiredArray(fields, 'messages', subject);
  const participants = optionalObject(fields, 'participants', subject);
  const others = participants && metadataOf(participants, PARTICIPANT_FIELDS, subject);
  const metadata = metadataOf(fields, CONVERSATION_FIELDS, subject);
  return defined<ArchivedConversation>({
    kind: 'conversation',
    source: requiredKey(fields, 'source', subject),
    id: requiredKey(fields, 'id', subject),
    title: optionalString(fields, 'title', subject),
    summary: optionalString(fields, 'summary', subject),
    status: optionalChoice(fields, 'status', ['active', 'archived'], subject),
    lang: optionalString(fields, 'lang', subject),
    modality,
    participants: participants && readParticipants(participants),
    metadata: others === undefined ? metadata : { ...metadata, participants: others },
    messages: messages.map((message, index) => readMessage(message, `message ${index + 1}`, modality)),
    voiceSessions: optionalArray(fields, 'voiceSessions', subject)?.map((session, index) =>
      readVoiceSession(session, `voice session ${index + 1}`),
    ),
  });
}

type Participants = NonNullable<ArchivedConversation['participants']>;

function readParticipants(fields: JsonObject): Participants {
  return defined<Participants>({
    user: optionalString(fields, 'user', '"participants"'),
    assistant: optionalString(fields, 'assistant', '"participants"'),
  });
}
