import { VoiceSession, type VoiceSessionStatus } from '../entities/voice-session.js';
import { InvalidStateError } from '../errors.js';
import { allowedProperties, record, textKey } from '../repositories/allowed-properties.js';
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

const SETTABLE = ['externalId', 'config', 'metadata', 'startTime'] as const;

const ENDABLE = ['endTime', 'audioDurationSeconds', 'metadata'] as const;

/** Calls. A session is `active` until it is completed, failed or cancelled, once. */
export class VoiceSessionsService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /** @throws ValidationError, ReferenceNotFoundError when user or conversation are not this tenant's, AlreadyExistsError. */
  async start(input: VoiceSessionInput): Promise<Row<VoiceSession>> {
    return this.#scope.write(async ({ em, voiceSessions, users, conversations }) => {
      const { userId, conversationId = null, ...rest } = record('VoiceSession', input);
      const given = { ...rest, startTime: rest.startTime ?? runtimeOf(em).clock.now() };
      const session = voiceSessions.createFrom(given, SETTABLE, {
        user: users.ref(textKey('VoiceSession', 'userId', userId)),
        conversation:
          conversationId === null ? null : conversations.ref(textKey('VoiceSession', 'conversationId', conversationId)),
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
      const given = allowedProperties('VoiceSession', end, ENDABLE);
      const endTime = end.endTime ?? runtimeOf(em).clock.now();
      runtimeOf(em)
        .rules.of(VoiceSession)
        .assert({ startTime: session.startTime, ...given, endTime }, new Set(['endTime', ...Object.keys(given)]));
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
