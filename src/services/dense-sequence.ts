import { type ChangeSet, ChangeSetType } from '@mikro-orm/core';
import { Conversation } from '../entities/conversation.js';
import { Message } from '../entities/message.js';
import type { ValidationIssue } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';

const COUNTER = 'messageCount';

/**
 * What a flush would do to the sequence of a conversation: new messages must be numbered on from the count that the conversation had,
 * up to the count that it has now. Appending by the repository keeps both by itself and is no part of a flush.
 */
export function sequenceIssues(changes: readonly ChangeSet<object>[]): ValidationIssue[] {
  const before = new Map<Conversation, number>();
  const added = new Map<Conversation, number[]>();
  for (const { entity, type, originalEntity, payload } of changes) {
    if (entity instanceof Conversation && type === ChangeSetType.CREATE) before.set(entity, 0);
    if (entity instanceof Conversation && type === ChangeSetType.UPDATE && COUNTER in payload) {
      const original: { messageCount?: number | string } = originalEntity ?? {};
      // MikroORM keeps a bigint as text beside the entity. A count that was not loaded is none that can be continued.
      before.set(entity, Number(original.messageCount));
    }
    if (entity instanceof Message && type === ChangeSetType.CREATE) {
      const conversation = entity.conversation.unwrap();
      added.set(conversation, [...(added.get(conversation) ?? []), entity.seq]);
    }
  }
  return [...new Set([...before.keys(), ...added.keys()])].flatMap((conversation) => {
    const sequence = (added.get(conversation) ?? []).toSorted((a, b) => a - b);
    const count = before.get(conversation) ?? conversation.messageCount;
    const isDense = sequence.every((seq, index) => seq === count + index + 1);
    if (isDense && conversation.messageCount === count + sequence.length) return [];
    return [brokenRule(sequence.length > 0 ? 'seq' : COUNTER, 'denseSequence', 0)];
  });
}

/** What a statement beside the unit of work would do to it: one row cannot keep messages and their count together. */
export function sequenceIssuesOf(entity: unknown, values: object, isNew: boolean): ValidationIssue[] {
  if (entity === Message) return [brokenRule('seq', 'denseSequence', 0)];
  if (entity !== Conversation || !(COUNTER in values)) return [];
  return isNew && values[COUNTER] === 0 ? [] : [brokenRule(COUNTER, 'denseSequence', 0)];
}
