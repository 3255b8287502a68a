import type { VoiceSession, VoiceSessionStatus } from '../entities/voice-session.js';
import { InvalidStateError } from '../errors.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { runtimeOf } from '../runtime.js';
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

const SETTABLE = ['externalId', 'config', 'metadata'] as const;

/** Calls. A session is `active` until it is completed, failed or cancelled, once. */
export class VoiceSessionsService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /** @throws ValidationError, ReferenceNotFoundError when user or conversation are not this tenant's, AlreadyExistsError. */
  async start({ userId, conversationId, startTime, ...input }: VoiceSessionInput): Promise<Row<VoiceSession>> {
    return this.#scope.write(async ({ em, voiceSessions, users, conversations }) => {
      const session = voiceSessions.createFrom(input, SETTABLE, {
        startTime: startTime ?? runtimeOf(em).clock.now(),
        user: users.ref(userId),
        conversation: conversationId ? conversations.ref(conversationId) : null,
      });
      await em.flush();
      return voiceSessions.toRow(session);
    });
  }

  /** @throws NotFoundError when the tenant has no such session. */
  async get(id: string): Promise<Row<VoiceSession>> {
    return this.#scope.read(({ voiceSessions }) => voiceSessions.readById(id));
  }

  /** @throws NotFoundError when the tenant has no such session. */
  async getByExternalId(externalId: string): Promise<Row<VoiceSession>> {
    return this.#scope.read(({ voiceSessions }) => voiceSessions.readByExternalId(externalId));
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
    return this.#scope.read(({ voiceSessions }) => voiceSessions.readPageOfUser(userId, page));
  }

  async #end(id: string, status: VoiceSessionStatus, end: VoiceSessionEnd): Promise<Row<VoiceSession>> {
    return this.#scope.write(async ({ em, voiceSessions }) => {
      const session = await voiceSessions.getForChange(id);
      if (session.status !== 'active') throw new InvalidStateError('voice session', id, session.status, `be ${status}`);
      session.status = status;
      session.endTime = end.endTime ?? runtimeOf(em).clock.now();
      session.durationSeconds = Math.max(0, session.endTime.getTime() - session.startTime.getTime()) / 1000;
      session.audioDurationSeconds = end.audioDurationSeconds ?? session.audioDurationSeconds;
      if (end.metadata) session.metadata = { ...session.metadata, ...end.metadata };
      await em.flush();
      return voiceSessions.toRow(session);
    });
  }
}
