import { OptionalProps, type Ref } from '@mikro-orm/core';
import { Entity, Enum, ManyToOne, Property, Unique } from '@mikro-orm/decorators/legacy';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { Conversation } from './conversation.js';
import {
  EXTERNAL_ID_MAX,
  HasContent,
  IsExternalId,
  IsJsonArray,
  IsJsonObject,
  IsText,
  MESSAGE_CONTENT_MAX,
} from './rules.js';
import { TenantOwned, withinTenant } from './tenant-owned.js';

export const MESSAGE_ROLES = ['user', 'assistant', 'system', 'tool'] as const;
export const MESSAGE_MODALITIES = ['text', 'voice', 'image'] as const;
export type MessageRole = (typeof MESSAGE_ROLES)[number];
export type MessageModality = (typeof MESSAGE_MODALITIES)[number];

/** One turn of a conversation. It is never changed; its order is `seq`, not a time. */
@Entity({ tableName: 'messages' })
@Unique({ name: 'messages_seq_unique', properties: ['conversation', 'seq'] })
@Unique({
  name: 'messages_idempotency_key_unique',
  properties: ['tenant', 'idempotencyKey'],
  where: 'idempotency_key is not null',
})
export class Message extends TenantOwned {
  [OptionalProps]?:
    | 'tenant'
    | 'createdAt'
    | 'updatedAt'
    | 'parts'
    | 'modality'
    | 'tokenCount'
    | 'references'
    | 'metadata'
    | 'idempotencyKey';

  @ManyToOne({ entity: () => Conversation, ...withinTenant('conversation_id'), deleteRule: 'cascade' })
  conversation!: Ref<Conversation>;

  /** 1 for the first message of the conversation, without gaps after it. */
  @Property({ type: 'integer' })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  seq!: number;

  @Enum({ items: () => [...MESSAGE_ROLES], type: 'string' })
  @IsIn(MESSAGE_ROLES)
  role!: MessageRole;

  @Property({ type: 'text' })
  @IsText({ min: 0, max: MESSAGE_CONTENT_MAX })
  @HasContent()
  content!: string;

  /** What the content is made of where it is more than text: images, tool calls, cards. */
  @Property({ type: 'json', nullable: true })
  @IsOptional()
  @IsJsonArray()
  parts: unknown[] | null = null;

  @Enum({ items: () => [...MESSAGE_MODALITIES], type: 'string' })
  @IsIn(MESSAGE_MODALITIES)
  modality: MessageModality = 'text';

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  tokenCount: number = 0;

  /** What the message cites, such as documents. */
  @Property({ type: 'json', nullable: true })
  @IsOptional()
  @IsJsonArray()
  references: unknown[] | null = null;

  /** Imported messages keep here when they were sent (`at`, null where the archive does not say), and their place in a recording. */
  @Property({ type: 'json', nullable: true })
  @IsOptional()
  @IsJsonObject()
  metadata: Record<string, unknown> | null = null;

  /** The request that made the message; the same key in the same tenant never makes a second one. */
  @Property({ type: 'string', length: EXTERNAL_ID_MAX, nullable: true })
  @IsOptional()
  @IsExternalId()
  idempotencyKey: string | null = null;
}
