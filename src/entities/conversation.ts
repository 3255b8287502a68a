import { OptionalProps, type Ref } from '@mikro-orm/core';
import { Entity, Enum, Index, ManyToOne, Property, Unique } from '@mikro-orm/decorators/legacy';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { EXTERNAL_ID_MAX, IsExternalId, IsInstant, IsJsonObject, IsText, IsVersion } from './rules.js';
import { FollowsStates, type StateMachine } from './states.js';
import { TenantOwned, withinTenant } from './tenant-owned.js';
import { User } from './user.js';

export const CONVERSATION_STATUSES = ['active', 'archived'] as const;
export type ConversationStatus = (typeof CONVERSATION_STATUSES)[number];

const STATES: StateMachine<ConversationStatus> = { active: ['archived'], archived: ['active'] };

/**
 * A chat. `messageCount` is also the sequence number of the last message: it is raised under the row's lock when a message is
 * accepted, so the sequence of a conversation is dense. Appending does not raise `version`, which guards what people edit.
 */
@Entity({ tableName: 'conversations' })
@Unique({ name: 'conversations_external_id_unique', properties: ['tenant', 'externalId'] })
@Index({ name: 'conversations_user_index', properties: ['user', 'id'] })
export class Conversation extends TenantOwned {
  [OptionalProps]?:
    | 'tenant'
    | 'createdAt'
    | 'updatedAt'
    | 'externalId'
    | 'metadata'
    | 'messageCount'
    | 'tokenCount'
    | 'lastMessageAt'
    | 'status'
    | 'version';

  @ManyToOne({ entity: () => User, ...withinTenant('user_id') })
  user!: Ref<User>;

  /** The caller's own key, unique within the tenant. Imported conversations have `source:id` of their archive. */
  @Property({ type: 'string', length: EXTERNAL_ID_MAX, nullable: true })
  @IsOptional()
  @IsExternalId()
  externalId: string | null = null;

  @Property({ type: 'string', length: 500, nullable: true })
  @IsOptional()
  @IsText({ max: 500 })
  title: string | null = null;

  @Property({ type: 'text', nullable: true })
  @IsOptional()
  @IsText({ max: 100_000 })
  summary: string | null = null;

  @Property({ type: 'json' })
  @IsJsonObject()
  metadata: Record<string, unknown> = {};

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  messageCount: number = 0;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  tokenCount: number = 0;

  @Property({ type: 'Date', length: 3, nullable: true })
  @IsOptional()
  @IsInstant()
  lastMessageAt: Date | null = null;

  @Enum({ items: () => [...CONVERSATION_STATUSES], type: 'string' })
  @IsIn(CONVERSATION_STATUSES)
  @FollowsStates(STATES)
  status: ConversationStatus = 'active';

  @Property({ type: 'integer', version: true })
  @IsVersion()
  version!: number;
}
