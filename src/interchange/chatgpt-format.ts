import type { ArchivedConversation, ArchivedMessage } from './archive.js';
import { readMessage, withoutNulls } from './chatgpt-message.js';
import { readTree, type TreeNode } from './chatgpt-tree.js';
import { defined, metadataOf, optionalObject, optionalString, optionalStringOrNumber, toObject } from './fields.js';
import { Rejection } from './rejection.js';

const CONVERSATION_FIELDS = new Set(['id', 'conversation_id', 'title', 'mapping', 'current_node', 'is_archived']);

/** Messages that were left behind by an edit or a second answer. */
interface Branch {
  /** `nodeId` of the message they follow, on the active branch or on an earlier one of these; null at the beginning. */
  readonly from: string | null;
  readonly messages: readonly ArchivedMessage[];
}

/**
 * A conversation of ChatGPT's `conversations.json`. The messages are those of the active branch; the other ones are in the
 * conversation's metadata as `branches`. Each message has its node's identifier in its metadata as `nodeId`.
 *
 * @param unnamed gives the identifier of a conversation that has none
 * @throws Rejection
 */
export function readChatGpt(value: unknown, unnamed: () => string): ArchivedConversation {
  const subject = 'the conversation';
  const fields = toObject(value, subject);
  const mapping = optionalObject(fields, 'mapping', subject);
  if (mapping === undefined) throw new Rejection(`${subject} has no "mapping"`);
  const tree = readTree(mapping, optionalString(fields, 'current_node', subject));
  const messages = new Map<TreeNode, ArchivedMessage>();
  for (const node of [tree.active, ...tree.branches].flat()) {
    const message = node.message && readMessage(node.id, node.message);
    if (message !== undefined) messages.set(node, message);
  }
  const messagesOf = (nodes: readonly TreeNode[]) => nodes.flatMap((node) => messages.get(node) ?? []);
  const branches = tree.branches
    .map((nodes): Branch => ({ from: precedingMessage(nodes[0], messages), messages: messagesOf(nodes) }))
    .filter((branch) => branch.messages.length > 0);
  return defined<ArchivedConversation>({
    kind: 'conversation',
    source: 'chatgpt',
    id:
      optionalStringOrNumber(fields, 'conversation_id', subject) ??
      optionalStringOrNumber(fields, 'id', subject) ??
      unnamed(),
    title: optionalString(fields, 'title', subject),
    status: fields['is_archived'] === true ? 'archived' : undefined,
    modality: 'text',
    metadata: withoutNulls({
      ...metadataOf(fields, CONVERSATION_FIELDS, subject),
      branches: branches.length > 0 ? branches : undefined,
    }),
    messages: messagesOf(tree.active),
  });
}

function precedingMessage(node: TreeNode | undefined, messages: ReadonlyMap<TreeNode, unknown>): string | null {
  let ancestor = node?.parent;
  while (ancestor !== undefined && !messages.has(ancestor)) ancestor = ancestor.parent;
  return ancestor?.id ?? null;
}
