import { VoiceSession, type VoiceSessionStatus } from '../entities/voice-session.js';
import { InvalidStateError, ValidationError } from '../errors.js';
import { givenProperties, record } from '../repositories/allowed-properties.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { pageOf } from '../repositories/read-plans.js';
import { runtimeOf } from '../runtime.js';
import type { CreateOptions } from './once.js';
import type { TenantScope } from './tenant-scope.js';

export interface VoiceSessionInput {
  /** The caller's own key, unique within the tenant. */
  readonly externalId: string;
  readonly userId: string;
  readonly conversationId?: string | null;
  readonly config?: Record<string, unknown>;
  /** Now unless given. */
  readonly startTime?: Date;
  readonly metadata?: Record<string, unknown>;
}

export interface VoiceSessionEnd {
  /** Now unless given; the duration is counted from the start to it. */
  readonly endTime?: Date;
  /** How long the recording is, in seconds. */
  readonly audioDurationSeconds?: number | null;
  /** Merged into the session's metadata. */
  readonly metadata?: Record<string, unknown>;
}

export interface VoiceSessionListRequest extends PageRequest {
  readonly userId: string;
}

const SETTABLE = ['externalId', 'config', 'metadata', 'startTime'] as const;

const ENDABLE = ['endTime', 'audioDurationSeconds', 'metadata'] as const;

/** Calls. A session is `active` until it is completed, failed or cancelled, once. */
export class VoiceSessionsService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /**
   * @throws ValidationError, ReferenceNotFoundError when user or conversation are not this tenant's, AlreadyExistsError,
   *   IdempotencyConflictError.
   */
  async start(input: VoiceSessionInput, options: CreateOptions = {}): Promise<Row<VoiceSession>> {
    const call = { ...options, entity: VoiceSession, operation: 'voiceSessions.start', input };
    return this.#scope.create(call, async ({ em, voiceSessions, users, conversations }) => {
      const { conversationId, ...rest } = record('VoiceSession', input);
      const { startTime = runtimeOf(em).clock.now() } = rest;
      const isAlone = conversationId === undefined || conversationId === null;
      const session = voiceSessions.createFrom(
        { ...(isAlone ? rest : input), startTime },
        SETTABLE,
        (keys) => ({
          user: users.ref(keys.userId),
          conversation: isAlone ? null : conversations.ref(keys.conversationId),
        }),
        isAlone ? ['userId'] : ['userId', 'conversationId'],
      );
      await em.flush();
      return voiceSessions.toRow(session);
    });
  }

  /** @throws NotFoundError when the tenant has no such session. */
  get(id: string): Promise<Row<VoiceSession>> {
    return this.#scope.get(VoiceSession, id);
  }

  /** @throws NotFoundError when the tenant has no such session. */
  getByExternalId(externalId: string): Promise<Row<VoiceSession>> {
    return this.#scope.getBy(VoiceSession, 'externalId', externalId);
  }

  /** @throws InvalidStateError when the session has ended already, ValidationError when it would end before its start. */
  async complete(id: string, end: VoiceSessionEnd = {}): Promise<Row<VoiceSession>> {
    return this.#end(id, 'completed', end);
  }

  /** @throws InvalidStateError when the session has ended already, ValidationError when it would end before its start. */
  async fail(id: string, end: VoiceSessionEnd = {}): Promise<Row<VoiceSession>> {
    return this.#end(id, 'failed', end);
  }

  /** @throws InvalidStateError when the session has ended already, ValidationError when it would end before its start. */
  async cancel(id: string, end: VoiceSessionEnd = {}): Promise<Row<VoiceSession>> {
    return this.#end(id, 'cancelled', end);
  }

  /** A user's sessions, the newest first. */
  async list({ userId, ...page }: VoiceSessionListRequest): Promise<Page<Row<VoiceSession>>> {
    return this.#scope.query(VoiceSession, (table, tenantId) => pageOf(table, tenantId, 'userId', userId, page));
  }

  async #end(id: string, status: VoiceSessionStatus, end: VoiceSessionEnd): Promise<Row<VoiceSession>> {
    return this.#scope.write(async ({ em, voiceSessions }) => {
      const session = await voiceSessions.getForChange(id);
      if (session.status !== 'active') throw new InvalidStateError('voice session', id, session.status, `be ${status}`);
      const { given, issues } = givenProperties('VoiceSession', end, ENDABLE);
      const endTime = end.endTime ?? runtimeOf(em).clock.now();
      const judged = { startTime: session.startTime, ...given, endTime };
      const rules = runtimeOf(em).rules.of(VoiceSession);
      const broken = [...issues, ...rules.issues(judged, new Set(['endTime', ...Object.keys(given)]))];
      if (broken.length > 0) throw new ValidationError('VoiceSession', broken);
      session.status = status;
      session.endTime = endTime;
      session.durationSeconds = (endTime.getTime() - session.startTime.getTime()) / 1000;
      session.audioDurationSeconds = end.audioDurationSeconds ?? session.audioDurationSeconds;
      session.metadata = { ...session.metadata, ...end.metadata };
      await em.flush();
      return voiceSessions.toRow(session);
    });
  }
}
