import { ApiKey } from './api-key.js';
import { Conversation } from './conversation.js';
import { Document } from './document.js';
import { Message } from './message.js';
import { Tenant } from './tenant.js';
import { UsageRecord } from './usage-record.js';
import { User } from './user.js';
import { VoiceSession } from './voice-session.js';

export { ApiKey, Conversation, Document, Message, Tenant, UsageRecord, User, VoiceSession };

/** Every entity, in the order in which rows can be made. */
export const entities = [Tenant, User, ApiKey, Conversation, Message, Document, VoiceSession, UsageRecord] as const;
