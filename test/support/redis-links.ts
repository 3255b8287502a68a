import { expect, onTestFinished, vi } from 'vitest';
import { connectRedis } from '../../src/cache/ioredis-link.js';
import type { RedisLink } from '../../src/cache/redis-link.js';
import type { RedisInput } from '../../src/cache/redis-settings.js';
import { RedisUnavailableError } from '../../src/cache/redis-unavailable-error.js';
import { FaultProxy, type Hook } from './fault-proxy.js';
import { MACHINE_TIMING } from './machine-timing.js';

/** How long a call may take in these tests, in milliseconds: longer than by default, since the machine may be busy. */
export const COMMAND_TIMEOUT = 300;

/** How long something that will happen is waited for. */
export const SOON = { timeout: 20_000, interval: 5 };

/** Opens a link that is closed when the test ends. */
export async function openLink(url: string, settings: Partial<RedisInput> = {}): Promise<RedisLink> {
  const link = await connectRedis({ url, commandTimeout: COMMAND_TIMEOUT, ...settings }, MACHINE_TIMING);
  onTestFinished(() => link.close());
  return link;
}

/** A proxy before a server, and the hook of all its connections, which can be changed at any time. */
export async function openProxy(port: number) {
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port }, () => {
    control.connections.push(performance.now());
    return control.newHook();
  });
  onTestFinished(() => proxy.close());
  const control = {
    proxy,
    url: `redis://127.0.0.1:${String(proxy.port)}`,
    hook: (() => 'forward') as Hook,
    /** Gives the hook of a connection. */
    newHook: (): Hook => (direction, piece) => control.hook(direction, piece),
    /** When connections were made, on the monotonic clock. */
    connections: [] as number[],
  };
  return control;
}

export async function untilUp(link: RedisLink): Promise<string> {
  return vi.waitFor(() => link.run ?? expect.fail('the link is not up'), SOON);
}

export async function untilAway(link: RedisLink): Promise<void> {
  await vi.waitFor(() => expect(link.run).toBeUndefined(), SOON);
}

/** What a call rejects with, which must come within the time limit and leave the values out. */
export async function failure(call: Promise<unknown>): Promise<RedisUnavailableError> {
  const begun = performance.now();
  const error = await call.then(
    () => expect.fail('the call succeeded'),
    (reason: unknown) => reason,
  );
  expect(performance.now() - begun).toBeLessThan(2 * COMMAND_TIMEOUT);
  expect(error).toBeInstanceOf(RedisUnavailableError);
  return error as RedisUnavailableError;
}

/** Makes calls until one finds that the server is away. */
export async function callUntilAway(link: RedisLink): Promise<void> {
  while (link.run !== undefined) await link.send([['get', 'any']]).catch(() => undefined);
}
