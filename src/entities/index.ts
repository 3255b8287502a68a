import { ApiKey } from './api-key.js';
import { Conversation } from './conversation.js';
import { Document } from './document.js';
import { IdempotencyKey } from './idempotency-key.js';
import { Message } from './message.js';
import { Task } from './task.js';
import { Tenant } from './tenant.js';
import { UsageRecord } from './usage-record.js';
import { User } from './user.js';
import { VoiceSession } from './voice-session.js';

export * from './api-key.js';
export * from './conversation.js';
export * from './document.js';
export * from './idempotency-key.js';
export * from './message.js';
export * from './task.js';
export * from './tenant.js';
export * from './usage-record.js';
export * from './user.js';
export * from './voice-session.js';

/** Every entity, in the order in which rows can be made. */
export const entities = [
  Tenant,
  User,
  ApiKey,
  Conversation,
  Message,
  Document,
  VoiceSession,
  UsageRecord,
  Task,
  IdempotencyKey,
] as const;
