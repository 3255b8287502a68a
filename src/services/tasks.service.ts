import { canFollow } from '../entities/states.js';
import { Task, type TaskStatus, type TaskTrigger } from '../entities/task.js';
import { InvalidStateError, ValidationError } from '../errors.js';
import { givenProperties, record } from '../repositories/allowed-properties.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { pageOf } from '../repositories/read-plans.js';
import { runtimeOf } from '../runtime.js';
import type { CreateOptions } from './once.js';
import type { TenantScope } from './tenant-scope.js';

export interface TaskInput {
  /** The key of the workflow that does it, unique within the tenant. */
  readonly workflowId: string;
  readonly query: string;
  readonly userId?: string | null;
  readonly mode?: string | null;
  /** `request` unless given. */
  readonly triggerType?: TaskTrigger;
  readonly schedule?: string | null;
  readonly metadata?: Record<string, unknown>;
}

/** What a task has used, as it is known when it ends; numbers are 0 unless given. */
export interface TaskFigures {
  readonly provider?: string | null;
  readonly model?: string | null;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  /** US dollars with at most six decimals, as text. */
  readonly costUsd?: string;
  readonly agentsUsed?: number;
  readonly toolsInvoked?: number;
  readonly cacheHits?: number;
  readonly complexityScore?: number | null;
}

export interface TaskEnd extends TaskFigures {
  /** Now unless given; the duration is counted from the start to it. */
  readonly endTime?: Date;
  /** Merged into the task's metadata. */
  readonly metadata?: Record<string, unknown>;
}

export interface TaskListRequest extends PageRequest {
  readonly userId: string;
}

const SETTABLE = ['workflowId', 'query', 'mode', 'triggerType', 'schedule', 'metadata'] as const;

const FIGURES = [
  'provider',
  'model',
  'promptTokens',
  'completionTokens',
  'costUsd',
  'agentsUsed',
  'toolsInvoked',
  'cacheHits',
  'complexityScore',
] as const;
const ENDABLE = ['endTime', 'metadata', ...FIGURES] as const;

/** Work that agents do. A task is `pending`, then `running`, and is completed, failed or cancelled once. */
export class TasksService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /**
   * @throws ValidationError, ReferenceNotFoundError when the tenant has no such user, AlreadyExistsError when the workflow has a task,
   *   IdempotencyConflictError.
   */
  async create(input: TaskInput, options: CreateOptions = {}): Promise<Row<Task>> {
    const call = { ...options, entity: Task, operation: 'tasks.create', input };
    return this.#scope.create(call, async ({ em, tasks, users }) => {
      const { userId, ...rest } = record('Task', input);
      const isNobodys = userId === undefined || userId === null;
      const references = (keys: { readonly userId: string }) => ({ user: isNobodys ? null : users.ref(keys.userId) });
      const task = tasks.createFrom(isNobodys ? rest : input, SETTABLE, references, isNobodys ? [] : ['userId']);
      await em.flush();
      return tasks.toRow(task);
    });
  }

  /** @throws NotFoundError when the tenant has no such task. */
  get(id: string): Promise<Row<Task>> {
    return this.#scope.get(Task, id);
  }

  /** @throws NotFoundError when the tenant has no such task. */
  getByWorkflowId(workflowId: string): Promise<Row<Task>> {
    return this.#scope.getBy(Task, 'workflowId', workflowId);
  }

  /** @throws NotFoundError, InvalidStateError when the task is not pending: of those who start it at once, one does. */
  async start(id: string): Promise<Row<Task>> {
    return this.#scope.write(async ({ em, tasks }) => {
      const task = await tasks.getForChange(id);
      assertFollows(task, 'running');
      Object.assign(task, { status: 'running', startTime: runtimeOf(em).clock.now() });
      await em.flush();
      return tasks.toRow(task);
    });
  }

  /** @throws NotFoundError, InvalidStateError when the task is not running, ValidationError when it would end before its start. */
  async complete(id: string, result: string | null, end: TaskEnd = {}): Promise<Row<Task>> {
    return this.#end(id, 'completed', end, { result });
  }

  /** @throws NotFoundError, InvalidStateError when the task has ended already, ValidationError when it would end before its start. */
  async fail(id: string, errorMessage: string, end: TaskEnd = {}): Promise<Row<Task>> {
    return this.#end(id, 'failed', end, { errorMessage });
  }

  /** @throws NotFoundError, InvalidStateError when the task has ended already, ValidationError when it would end before its start. */
  async cancel(id: string, end: TaskEnd = {}): Promise<Row<Task>> {
    return this.#end(id, 'cancelled', end, {});
  }

  /** A user's tasks, the newest first. */
  async list({ userId, ...page }: TaskListRequest): Promise<Page<Row<Task>>> {
    return this.#scope.query(Task, (table, tenantId) => pageOf(table, tenantId, 'userId', userId, page));
  }

  async #end(id: string, status: TaskStatus, end: TaskEnd, outcome: Partial<Task>): Promise<Row<Task>> {
    return this.#scope.write(async ({ em, tasks }) => {
      const task = await tasks.getForChange(id);
      assertFollows(task, status);
      const { given, issues } = givenProperties('Task', end, ENDABLE);
      const endTime = end.endTime ?? runtimeOf(em).clock.now();
      const changes = { ...given, ...outcome, endTime };
      const { startTime } = task;
      const rules = runtimeOf(em).rules.of(Task);
      const broken = [...issues, ...rules.issues({ startTime, ...changes }, new Set(Object.keys(changes)))];
      if (broken.length > 0) throw new ValidationError('Task', broken);
      Object.assign(task, changes, {
        status,
        durationMs: startTime === null ? null : endTime.getTime() - startTime.getTime(),
        metadata: { ...task.metadata, ...end.metadata },
      });
      await em.flush();
      return tasks.toRow(task);
    });
  }
}

function assertFollows({ id, status }: Task, next: TaskStatus): void {
  if (status !== next && canFollow(Task, status, next)) return;
  throw new InvalidStateError('task', id, status, `be ${next}`);
}
