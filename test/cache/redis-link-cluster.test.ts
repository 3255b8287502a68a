import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RedisLink } from '../../src/cache/redis-link.js';
import { NO_OWN_REDIS, needsOwnRedis } from '../support/own-redis.js';
import { expectWhole, type OwnRedisCluster, startOwnRedisCluster } from '../support/own-redis-cluster.js';
import { failure, openLink, SOON, untilAway, untilUp } from '../support/redis-links.js';

/** Keys of the first, the second and the third node, in the slots 3300, 7365 and 15495. */
const [OF_FIRST, OF_SECOND, OF_THIRD] = ['b', 'c', 'a'];

describe.skipIf(NO_OWN_REDIS)(needsOwnRedis('The link to a Redis cluster'), () => {
  let cluster: OwnRedisCluster;
  beforeAll(async () => {
    cluster = await startOwnRedisCluster();
  });
  afterAll(() => cluster.close());

  it('is up as soon as it is open, and knows the same run from each of its nodes', async () => {
    const links = [await openLink(cluster.url)];
    for (const { port } of cluster.nodes) links.push(await openLink(`redis-cluster://127.0.0.1:${String(port)}`));
    expect(links[0]?.run).toMatch(/^[\da-f]{64}$/);
    expect(new Set(links.map(({ run }) => run)).size).toBe(1);
  });

  it('sends each call to the node that has the slot', async () => {
    const link = await openLink(cluster.url);
    const names = Array.from({ length: 300 }, (_, index) => `{${String(index)}}`);
    await Promise.all(
      names.map((name) =>
        link.send([
          ['set', `${name}a`, name, 'PX', 60_000],
          ['append', `${name}a`, '!'],
        ]),
      ),
    );
    const values = await Promise.all(names.map((name) => link.send([['mget', `${name}a`, `${name}b`]])));
    expect(values).toEqual(names.map((name) => [[`${name}!`, null]]));
    for (const node of cluster.nodes) expect(Number(await node.run('dbsize'))).toBeGreaterThan(50);
    for (const name of [OF_FIRST, OF_SECOND, OF_THIRD]) {
      await link.send([['set', name, 'old', 'PX', 60_000]]);
      const minute = { milliseconds: 60_000 };
      expect(await link.replace(name, { ...minute, text: 'old' }, { ...minute, text: 'new' })).toBe(true);
      await link.remove(name, 'new');
      expect(await link.send([['get', name]])).toEqual([null]);
    }
    await failure(link.send([['mget', OF_FIRST, OF_SECOND]]));
  });

  it('scans all nodes', async () => {
    const link = await openLink(cluster.url);
    const names = Array.from({ length: 3_000 }, (_, index) => `scanned[*]:${String(index)}`);
    await Promise.all(names.map((name) => link.send([['set', name, '']])));
    const found = new Set<string>();
    for await (const keys of link.scan('scanned[*]:')) for (const name of keys) found.add(name);
    expect(found).toEqual(new Set(names));
  });

  it('hears what any link publishes', async () => {
    const links = [await openLink(cluster.url), await openLink(cluster.url)] as const;
    const told: string[] = [];
    links[0].subscribe('news', { message: (text) => told.push(text), missed: () => told.push('missed') });
    await vi.waitFor(() => expect(links[0].heardUntil).toBeGreaterThan(-Infinity), SOON);
    for (let index = 0; index < 100; index += 1) await links[1].send([['publish', 'news', String(index)]]);
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(100), SOON);
    expect(told).toEqual(['missed', ...Array.from({ length: 100 }, (_, index) => String(index))]);
  });

  it('finds out where a slot has moved to, in the same run', async () => {
    const link = await openLink(cluster.url, { heartbeat: 60_000 });
    const run = link.run;
    const [first, , third] = cluster.nodes;
    const slot = Number(await first.run('cluster', 'keyslot', 'moving'));
    const [from, to] = slot > 10_922 ? [third, first] : [cluster.nodes[slot > 5_460 ? 1 : 0], third];
    for (const [source, target] of [
      [from, to],
      [to, from],
    ] as const) {
      const id = String(await target.run('cluster', 'myid'));
      for (const node of [target, source, ...cluster.nodes]) await node.run('cluster', 'setslot', slot, 'node', id);
      expect((await failure(link.send([['set', 'moving', 'here']]))).reason).toBe('the server answered MOVED');
      expect(link.run).toBeUndefined();
      expect(await untilUp(link)).toBe(run);
      await vi.waitFor(() => link.send([['set', 'moving', 'here']]), SOON);
      expect(await target.run('getdel', 'moving')).toBe('here');
    }
  });

  it('is away while one node is frozen, ends every call in time, and is in the same run afterwards', async () => {
    const link = await openLink(cluster.url);
    const run = await untilUp(link);
    const [, second] = cluster.nodes;
    onTestFinished(() => second.thaw());
    second.freeze();
    for (let count = 0; count < 3 && link.run !== undefined; count += 1) await failure(link.send([['get', OF_SECOND]]));
    await untilAway(link);
    for (const name of [OF_FIRST, OF_SECOND, OF_THIRD]) await failure(link.send([['get', name]]));
    second.thaw();
    expect(await untilUp(link)).toBe(run);
    await callUntilAnswered(link);
  });

  it('is in another run when one node was restarted, and finds all of them again', async () => {
    const link = await openLink(cluster.url);
    const run = await untilUp(link);
    const told: string[] = [];
    link.subscribe('news', { message: (text) => told.push(text), missed: () => told.push('missed') });
    await vi.waitFor(() => expect(link.heardUntil).toBeGreaterThan(-Infinity), SOON);
    for (const node of cluster.nodes) {
      const before = link.run;
      await node.stop('kill');
      await untilAway(link);
      await failure(link.send([['get', OF_FIRST]]));
      await node.start();
      await vi.waitFor(() => expectWhole(cluster), SOON);
      expect(await untilUp(link)).not.toBe(before);
      await callUntilAnswered(link);
    }
    expect(link.run).not.toBe(run);
    await vi.waitFor(() => expect(link.heardUntil).toBeGreaterThan(-Infinity), SOON);
    // The channel is published at one of the three.
    expect(told).toEqual(['missed', 'missed']);
  });

  it('opens without a cluster, and finds it when there is one', async () => {
    for (const node of cluster.nodes) await node.stop('kill');
    const link = await openLink(cluster.url);
    expect(link.run).toBeUndefined();
    await failure(link.send([['get', OF_FIRST]]));
    await link.close();
    const late = await openLink(cluster.url);
    for (const node of cluster.nodes) await node.start();
    await untilUp(late);
    await callUntilAnswered(late);
  });
});

/** A node that has just been reached may say that the cluster is down still. */
async function callUntilAnswered(link: RedisLink): Promise<void> {
  await vi.waitFor(async () => {
    for (const name of [OF_FIRST, OF_SECOND, OF_THIRD]) await link.send([['get', name]]);
  }, SOON);
}
