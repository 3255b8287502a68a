import { OptionalProps, type Ref } from '@mikro-orm/core';
import { Entity, Enum, Index, ManyToOne, Property, Unique } from '@mikro-orm/decorators/legacy';
import { IsIn, IsInt, IsNumber, IsOptional, Max, Min } from 'class-validator';
import {
  EXTERNAL_ID_MAX,
  IsExternalId,
  IsInstant,
  IsJsonObject,
  IsMoney,
  IsNotBefore,
  IsText,
  IsVersion,
} from './rules.js';
import { FollowsStates, type StateMachine } from './states.js';
import { TenantOwned, withinTenant } from './tenant-owned.js';
import { User } from './user.js';

export const TASK_STATUSES = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const;
export const TASK_TRIGGERS = ['request', 'schedule', 'event'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];
export type TaskTrigger = (typeof TASK_TRIGGERS)[number];

const STATES: StateMachine<TaskStatus> = {
  pending: ['running', 'failed', 'cancelled'],
  running: ['completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

const INTEGER_MAX = Number.MAX_SAFE_INTEGER;

/**
 * A piece of work that agents do. Its states:
 *
 *     pending ──> running ──> completed | failed | cancelled
 *     pending ──> failed | cancelled
 */
@Entity({ tableName: 'tasks' })
@Unique({ name: 'tasks_workflow_id_unique', properties: ['tenant', 'workflowId'] })
@Index({ name: 'tasks_user_index', properties: ['user', 'id'] })
export class Task extends TenantOwned {
  [OptionalProps]?:
    | 'tenant'
    | 'createdAt'
    | 'updatedAt'
    | 'promptTokens'
    | 'completionTokens'
    | 'costUsd'
    | 'agentsUsed'
    | 'toolsInvoked'
    | 'cacheHits'
    | 'triggerType'
    | 'metadata'
    | 'status'
    | 'version';

  /** The key of the workflow that does it, unique within the tenant. */
  @Property({ type: 'string', length: EXTERNAL_ID_MAX })
  @IsExternalId()
  workflowId!: string;

  @ManyToOne({ entity: () => User, nullable: true, ...withinTenant('user_id') })
  user: Ref<User> | null = null;

  /** What is asked for. */
  @Property({ type: 'text' })
  @IsText({ max: 100_000 })
  query!: string;

  /** How it is done, in the application's own words. */
  @Property({ type: 'string', length: 50, nullable: true })
  @IsOptional()
  @IsText({ max: 50 })
  mode: string | null = null;

  @Property({ type: 'text', nullable: true })
  @IsOptional()
  @IsText({ min: 0, max: 1_000_000 })
  result: string | null = null;

  @Property({ type: 'text', nullable: true })
  @IsOptional()
  @IsText({ max: 100_000 })
  errorMessage: string | null = null;

  @Property({ type: 'string', length: 100, nullable: true })
  @IsOptional()
  @IsText({ max: 100 })
  provider: string | null = null;

  @Property({ type: 'string', length: 200, nullable: true })
  @IsOptional()
  @IsText({ max: 200 })
  model: string | null = null;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(INTEGER_MAX)
  promptTokens: number = 0;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(INTEGER_MAX)
  completionTokens: number = 0;

  /** US dollars with at most six decimals, as text: money is not a floating-point number. */
  @Property({ type: 'decimal', precision: 15, scale: 6 })
  @IsMoney()
  costUsd: string = '0';

  @Property({ type: 'Date', length: 3, nullable: true })
  @IsOptional()
  @IsInstant()
  startTime: Date | null = null;

  @Property({ type: 'Date', length: 3, nullable: true })
  @IsOptional()
  @IsInstant()
  @IsNotBefore('startTime')
  endTime: Date | null = null;

  /** How long it ran, in milliseconds. */
  @Property({ type: 'integer', nullable: true })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(INTEGER_MAX)
  durationMs: number | null = null;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(INTEGER_MAX)
  agentsUsed: number = 0;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(INTEGER_MAX)
  toolsInvoked: number = 0;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(INTEGER_MAX)
  cacheHits: number = 0;

  @Property({ type: 'double', nullable: true })
  @IsOptional()
  @IsNumber()
  @Min(0)
  complexityScore: number | null = null;

  @Enum({ items: () => [...TASK_TRIGGERS], type: 'string' })
  @IsIn(TASK_TRIGGERS)
  triggerType: TaskTrigger = 'request';

  /** When it is due again, in the words of the application's scheduler. */
  @Property({ type: 'string', length: 255, nullable: true })
  @IsOptional()
  @IsText({ max: 255 })
  schedule: string | null = null;

  @Property({ type: 'json' })
  @IsJsonObject()
  metadata: Record<string, unknown> = {};

  @Enum({ items: () => [...TASK_STATUSES], type: 'string' })
  @IsIn(TASK_STATUSES)
  @FollowsStates(STATES)
  status: TaskStatus = 'pending';

  @Property({ type: 'integer', version: true })
  @IsVersion()
  version!: number;
}
