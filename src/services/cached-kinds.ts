import type { EntityClass } from '@mikro-orm/core';
import { type CachePolicy, resolvePolicy } from '../cache/policy.js';
import { Conversation } from '../entities/conversation.js';
import { Document } from '../entities/document.js';
import { Message } from '../entities/message.js';
import { Task } from '../entities/task.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import { User } from '../entities/user.js';
import { VoiceSession } from '../entities/voice-session.js';

/** Kinds of values that are cached, each by a policy of its own: rows by their ids, and parts of conversations' histories. */
export const CACHED_KINDS = [
  'users',
  'conversations',
  'messages',
  'documents',
  'voiceSessions',
  'tasks',
  'history',
] as const;

export type CachedKind = (typeof CACHED_KINDS)[number];

/** The kinds that are rows, and whose. */
export const CACHED_ENTITIES: ReadonlyMap<EntityClass<TenantOwned>, Exclude<CachedKind, 'history'>> = new Map<
  EntityClass<TenantOwned>,
  Exclude<CachedKind, 'history'>
>([
  [User, 'users'],
  [Conversation, 'conversations'],
  [Message, 'messages'],
  [Document, 'documents'],
  [VoiceSession, 'voiceSessions'],
  [Task, 'tasks'],
]);

/** How each kind is cached, where that is not as a policy is by itself. */
const DEFAULTS: Readonly<Record<CachedKind, CachePolicy>> = {
  users: {},
  conversations: {},
  // A message's id is made when it is appended: nobody can have asked for it before.
  messages: { timeToLive: 'long', negativeTimeToLive: 0 },
  documents: { maxEntries: 1_000 },
  voiceSessions: {},
  tasks: { timeToLive: 'short' },
  // Each append would end what is cached; whoever reads a conversation more often than it grows switches it on.
  history: { consistency: 'none', maxEntries: 1_000 },
};

/** How each kind is cached, where that is not as it is by itself. */
export type CacheSettings = Readonly<Partial<Record<CachedKind, CachePolicy>>>;

export type CachePolicies = Readonly<Record<CachedKind, CachePolicy>>;

/**
 * The policy of each kind, with what was given in the place of the defaults. What is wrong is added to `problems`.
 */
export function cachePolicies(given: CacheSettings, problems: string[]): CachePolicies {
  for (const name of Object.keys(given)) {
    if (!CACHED_KINDS.includes(name as CachedKind)) {
      problems.push(`cache.${name} is unknown; what is cached is ${CACHED_KINDS.join(', ')}`);
    }
  }
  const policies = CACHED_KINDS.map((kind) => {
    const policy = { ...DEFAULTS[kind], ...given[kind] };
    resolvePolicy(policy, `cache.${kind}`, problems);
    if (kind === 'history' && (policy.preload ?? 0) > 0)
      problems.push('cache.history.preload must be 0: it has no rows');
    return [kind, policy] as const;
  });
  return Object.fromEntries(policies) as Record<CachedKind, CachePolicy>;
}
