import * as fc from 'fast-check';
import {
  ApiKey,
  Conversation,
  Document,
  entities,
  IdempotencyKey,
  Message,
  Task,
  Tenant,
  UsageRecord,
  User,
  VoiceSession,
} from '../../../src/entities/index.js';
import type { Furnished } from '../furnish.js';
import { badValues } from './bad-values.js';
import { type AnyEntity, type PropertyRule, rulesOf } from './rules-of.js';

/** One wrong value in an input that is right otherwise, and the rule that it breaks. */
export interface Fault extends PropertyRule {
  readonly value: unknown;
}

export const EVERY_RULE: readonly PropertyRule[] = entities.flatMap(rulesOf);

/** Faults of the rules that are wanted, each as often as the others. */
export function faults(isWanted: (rule: PropertyRule) => boolean): fc.Arbitrary<Fault> {
  const wanted = EVERY_RULE.filter(isWanted).map((rule) => badValues(rule).map((value) => ({ ...rule, value })));
  return fc.oneof(...wanted);
}

type Values = Readonly<Record<string, unknown>>;

const NOW = new Date('2026-01-01T12:00:00.000Z');

const RIGHT = new Map<AnyEntity, (acme: Furnished) => Values>([
  [Tenant, () => ({ slug: 'new', name: 'New', config: {}, quota: {} })],
  [User, () => ({ externalId: 'new', username: 'new', metadata: {} })],
  [ApiKey, () => ({ name: 'new', prefix: '0123456789ab', hash: 'f'.repeat(64), scopes: [] })],
  [Conversation, ({ tenantId, userId }) => ({ user: [tenantId, userId], metadata: {} })],
  [
    Message,
    ({ tenantId, conversationId }) => ({
      conversation: [tenantId, conversationId],
      seq: 2,
      role: 'user',
      content: 'x',
    }),
  ],
  [Document, () => ({ externalId: 'new', title: 'new', content: 'new', checksum: '0'.repeat(64), metadata: {} })],
  [
    VoiceSession,
    ({ tenantId, userId }) => ({
      externalId: 'new',
      user: [tenantId, userId],
      startTime: NOW,
      config: {},
      metadata: {},
    }),
  ],
  [Task, () => ({ workflowId: 'new', query: 'new', startTime: NOW, metadata: {} })],
  [IdempotencyKey, () => ({ operation: 'users.create', idempotencyKey: 'new', digest: '0'.repeat(64), result: {} })],
  [UsageRecord, () => ({ subject: 'tenant', day: '2026-01-01', provider: 'new', model: 'new' })],
]);

/** The properties of a row of which nothing is wrong. */
export function rightValues(entity: AnyEntity, acme: Furnished): Values {
  return RIGHT.get(entity)?.(acme) ?? {};
}

/** {@link rightValues}, but for one. */
export function faultyValues({ entity, property, value }: Fault, acme: Furnished): Values {
  return { ...rightValues(entity, acme), [property]: value };
}
