import { isObject, type JsonObject, optionalObject, toObject } from './fields.js';
import { Rejection } from './rejection.js';

/** A node of the mapping of a ChatGPT export. The first node has no message; an edited message is a sibling of the older one. */
export interface TreeNode {
  readonly id: string;
  readonly message: JsonObject | undefined;
  readonly parent: TreeNode | undefined;
  readonly children: readonly TreeNode[];
}

interface Tree {
  /** From the root to the current node. */
  readonly active: readonly TreeNode[];
  /** Every other node, once: each branch goes from where it leaves another one down along the first children. */
  readonly branches: readonly (readonly TreeNode[])[];
}

type OpenNode = TreeNode & { parent: TreeNode | undefined; readonly children: TreeNode[] };

/**
 * The tree of a conversation, taken apart into its active branch and the others. Only the `parent` links are followed. The active
 * branch ends at `currentNode`, or at the newest leaf if that is undefined.
 *
 * @throws Rejection if a parent or the current node is not in the mapping, or if parents go round in a circle.
 */
export function readTree(mapping: JsonObject, currentNode: string | undefined): Tree {
  const nodes = linkNodes(mapping);
  const roots = [...nodes.values()].filter((node) => node.parent === undefined);
  refuseCircles(roots, nodes.size);
  const last = currentNode === undefined ? newestLeaf(nodes.values()) : nodes.get(currentNode);
  if (currentNode !== undefined && last === undefined) {
    throw new Rejection('the conversation: "current_node" is not in its "mapping"');
  }
  const active: TreeNode[] = [];
  for (let node = last; node !== undefined; node = node.parent) active.push(node);
  active.reverse();
  return { active, branches: branchesBeside(active, roots) };
}

function linkNodes(mapping: JsonObject): ReadonlyMap<string, TreeNode> {
  const nodes = new Map<string, OpenNode>();
  for (const [id, value] of Object.entries(mapping)) {
    const subject = 'a node of "mapping"';
    const message = optionalObject(toObject(value, subject), 'message', subject);
    nodes.set(id, { id, message, parent: undefined, children: [] });
  }
  for (const [id, value] of Object.entries(mapping)) {
    const parentId = isObject(value) ? (value['parent'] ?? undefined) : undefined;
    if (parentId === undefined) continue;
    const node = nodes.get(id);
    const parent = typeof parentId === 'string' ? nodes.get(parentId) : undefined;
    if (node === undefined || parent === undefined) {
      throw new Rejection('the conversation has a node whose parent is not in its "mapping"');
    }
    node.parent = parent;
    parent.children.push(node);
  }
  return nodes;
}

/** Nodes in a circle, and those below them, cannot be reached from a node without a parent. */
function refuseCircles(roots: readonly TreeNode[], size: number): void {
  const reached = [...roots];
  for (const node of reached) for (const child of node.children) reached.push(child);
  if (reached.length < size) throw new Rejection('the conversation has nodes whose parents go round in a circle');
}

function newestLeaf(nodes: Iterable<TreeNode>): TreeNode | undefined {
  let newest: TreeNode | undefined;
  for (const node of nodes) {
    if (node.children.length === 0 && (newest === undefined || timeOf(node) >= timeOf(newest))) newest = node;
  }
  return newest;
}

function timeOf(node: TreeNode): number {
  const time = node.message?.['create_time'];
  return typeof time === 'number' ? time : 0;
}

function branchesBeside(active: readonly TreeNode[], roots: readonly TreeNode[]): TreeNode[][] {
  const onActive = new Set(active);
  const beside = [...roots, ...active.flatMap((node) => node.children)];
  const starts = beside.filter((node) => !onActive.has(node));
  const branches: TreeNode[][] = [];
  for (const start of starts) {
    const branch: TreeNode[] = [];
    for (let node: TreeNode | undefined = start; node !== undefined; node = node.children[0]) {
      branch.push(node);
      for (const child of node.children.slice(1)) starts.push(child);
    }
    branches.push(branch);
  }
  return branches;
}
