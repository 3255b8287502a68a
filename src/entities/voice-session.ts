import { OptionalProps, type Ref } from '@mikro-orm/core';
import { Entity, Enum, Index, ManyToOne, Property, Unique } from '@mikro-orm/decorators/legacy';
import { IsIn, IsNumber, IsOptional, Min } from 'class-validator';
import { Conversation } from './conversation.js';
import { EXTERNAL_ID_MAX, IsExternalId, IsInstant, IsJsonObject, IsNotBefore, IsVersion } from './rules.js';
import { FollowsStates, type StateMachine } from './states.js';
import { TenantOwned, withinTenant } from './tenant-owned.js';
import { User } from './user.js';

export const VOICE_SESSION_STATUSES = ['active', 'completed', 'failed', 'cancelled'] as const;
export type VoiceSessionStatus = (typeof VOICE_SESSION_STATUSES)[number];

const STATES: StateMachine<VoiceSessionStatus> = {
  active: ['completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

/**
 * A call. Its states:
 *
 *     active ──> completed | failed | cancelled
 *
 * It leaves `active` once, and gets its end and durations then.
 */
@Entity({ tableName: 'voice_sessions' })
@Unique({ name: 'voice_sessions_external_id_unique', properties: ['tenant', 'externalId'] })
@Index({ name: 'voice_sessions_user_index', properties: ['user', 'id'] })
@Index({ name: 'voice_sessions_conversation_index', properties: ['conversation', 'id'] })
export class VoiceSession extends TenantOwned {
  [OptionalProps]?: 'tenant' | 'createdAt' | 'updatedAt' | 'config' | 'metadata' | 'status' | 'version';

  /** The caller's own key, unique within the tenant. */
  @Property({ type: 'string', length: EXTERNAL_ID_MAX })
  @IsExternalId()
  externalId!: string;

  @ManyToOne({ entity: () => User, ...withinTenant('user_id') })
  user!: Ref<User>;

  @ManyToOne({ entity: () => Conversation, nullable: true, ...withinTenant('conversation_id') })
  conversation: Ref<Conversation> | null = null;

  @Property({ type: 'json' })
  @IsJsonObject()
  config: Record<string, unknown> = {};

  @Property({ type: 'Date', length: 3 })
  @IsInstant()
  startTime!: Date;

  @Property({ type: 'Date', length: 3, nullable: true })
  @IsOptional()
  @IsInstant()
  @IsNotBefore('startTime')
  endTime: Date | null = null;

  /** How long the call lasted, in seconds. */
  @Property({ type: 'double', nullable: true })
  @IsOptional()
  @IsNumber()
  @Min(0)
  durationSeconds: number | null = null;

  /** How long the recording is, in seconds. */
  @Property({ type: 'double', nullable: true })
  @IsOptional()
  @IsNumber()
  @Min(0)
  audioDurationSeconds: number | null = null;

  @Property({ type: 'json' })
  @IsJsonObject()
  metadata: Record<string, unknown> = {};

  @Enum({ items: () => [...VOICE_SESSION_STATUSES], type: 'string' })
  @IsIn(VOICE_SESSION_STATUSES)
  @FollowsStates(STATES)
  status: VoiceSessionStatus = 'active';

  @Property({ type: 'integer', version: true })
  @IsVersion()
  version!: number;
}
