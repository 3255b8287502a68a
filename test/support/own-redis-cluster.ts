import { vi } from 'vitest';
import { type OwnRedis, startOwnRedis } from './own-redis.js';
import { freePort } from './server-process.js';

/** A cluster of the test's own: three masters without replicas. */
export interface OwnRedisCluster {
  readonly nodes: readonly [OwnRedis, OwnRedis, OwnRedis];
  readonly url: string;
  close(): Promise<void>;
}

const SLOT_RANGES = [
  [0, 5_460],
  [5_461, 10_922],
  [10_923, 16_383],
] as const;

const STARTED = { timeout: 30_000, interval: 50 };

/** Makes and starts a cluster; close it when the test ends. */
export async function startOwnRedisCluster(): Promise<OwnRedisCluster> {
  const ports = await Promise.all(SLOT_RANGES.map(() => freePort()));
  const nodes = await Promise.all(
    ports.map((port) =>
      startOwnRedis({ 'cluster-enabled': 'yes', 'cluster-port': port, 'cluster-node-timeout': 2_000 }),
    ),
  );
  const [first, second, third] = nodes;
  if (!first || !second || !third) throw new Error('a cluster has three nodes');
  for (const [index, node] of nodes.entries()) {
    await node.run('cluster', 'set-config-epoch', index + 1);
    await node.run('cluster', 'addslotsrange', ...(SLOT_RANGES[index] ?? []));
    await first.run('cluster', 'meet', '127.0.0.1', node.port, ports[index] ?? 0);
  }
  const cluster: OwnRedisCluster = {
    nodes: [first, second, third],
    url: `redis-cluster://127.0.0.1:${String(first.port)},127.0.0.1:${String(second.port)}`,
    async close() {
      for (const node of nodes) await node.close();
    },
  };
  await vi.waitFor(() => expectWhole(cluster), STARTED);
  return cluster;
}

/** Rejects unless every node knows of every slot. */
export async function expectWhole({ nodes }: OwnRedisCluster): Promise<void> {
  for (const node of nodes) {
    const slots = (await node.run('cluster', 'slots')) as unknown[];
    const info = String(await node.run('cluster', 'info'));
    if (slots.length < nodes.length || !info.includes('cluster_state:ok')) throw new Error('a node knows too little');
  }
}
