import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startChild } from '../support/child.js';
import { NO_OWN_REDIS, needsOwnRedis, type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import {
  callUntilAway,
  COMMAND_TIMEOUT,
  failure,
  openLink,
  openProxy,
  SOON,
  untilAway,
  untilUp,
} from '../support/redis-links.js';
import { freePort } from '../support/server-process.js';

const READ = [['get', 'key']] as const;

describe.skipIf(NO_OWN_REDIS)(needsOwnRedis('The link to a Redis server that fails'), () => {
  let server: OwnRedis;
  beforeAll(async () => {
    server = await startOwnRedis();
  });
  afterAll(() => server.close());

  it('ends every call in time while the server is frozen, at once after three of them, and finds the same run again', async () => {
    const link = await openLink(server.url, { heartbeat: 60_000 });
    const run = await untilUp(link);
    onTestFinished(() => server.thaw());
    server.freeze();
    for (let count = 0; count < 3; count += 1) {
      expect(link.run).toBe(run);
      expect((await failure(link.send(READ))).reason).toBe(`it gave no answer within ${String(COMMAND_TIMEOUT)} ms`);
    }
    expect(link.run).toBeUndefined();
    const begun = performance.now();
    for (let count = 0; count < 1_000; count += 1) await failure(link.send(READ));
    // At most 1 ms each; one that waited for a timer or for the network would take longer.
    expect(performance.now() - begun).toBeLessThan(1_000);
    server.thaw();
    expect(await untilUp(link)).toBe(run);
    expect(await link.send([['echo', 'here']])).toEqual(['here']);
  });

  it('notices a frozen server also when nobody calls', async () => {
    const link = await openLink(server.url, { heartbeat: 100 });
    onTestFinished(() => server.thaw());
    server.freeze();
    await untilAway(link);
    server.thaw();
    await untilUp(link);
  });

  it.each(['toServer', 'toClient'] as const)('ends every call in time while what goes %s is lost', async (way) => {
    const control = await openProxy(server.port);
    const link = await openLink(control.url);
    const run = await untilUp(link);
    control.hook = (direction) => (direction === way ? 'drop' : 'forward');
    const calls = Array.from({ length: 100 }, () => failure(link.send(READ)));
    await Promise.all(calls);
    await callUntilAway(link);
    await failure(link.send(READ));
    control.hook = () => 'forward';
    expect(await untilUp(link)).toBe(run);
  });

  it('rejects the calls in flight when the connection is reset, and runs none of them twice', async () => {
    const control = await openProxy(server.port);
    const link = await openLink(control.url);
    const run = await untilUp(link);
    await server.run('set', 'counter', 0);
    let hasMet = false;
    control.hook = (direction, piece) => {
      if (direction === 'toServer') hasMet ||= piece.includes('incr');
      else if (hasMet) return 'reset';
      return 'forward';
    };
    let whenRejected: string | undefined = 'none';
    const call = link.send([['incr', 'counter']]).finally(() => (whenRejected = link.run));
    expect((await failure(call)).reason).toBe('the connection was lost');
    // Nobody who learns that a call has failed still sees the run that it was made in.
    expect(whenRejected).toBeUndefined();
    control.hook = () => 'forward';
    expect(await untilUp(link)).toBe(run);
    expect(await server.run('get', 'counter')).toBe('1');
  });

  it('counts a server that is too slow as away, also when it is asked again', async () => {
    const control = await openProxy(server.port);
    const link = await openLink(control.url);
    await untilUp(link);
    control.hook = (direction) => (direction === 'toClient' ? { delay: 2 * COMMAND_TIMEOUT } : 'forward');
    await callUntilAway(link);
    const [{ length }, wasUp] = [control.connections, vi.fn()];
    await vi.waitFor(() => {
      if (link.run !== undefined) wasUp();
      expect(control.connections.length).toBeGreaterThan(length + 1);
    }, SOON);
    expect(wasUp).not.toHaveBeenCalled();
    control.hook = () => 'forward';
    await untilUp(link);
  });

  it('takes a late answer for that of its own command', async () => {
    const control = await openProxy(server.port);
    const link = await openLink(control.url, { heartbeat: 60_000 });
    await untilUp(link);
    let delayed = 0;
    control.hook = (direction) => {
      if (direction === 'toServer' || delayed > 0) return 'forward';
      delayed += 1;
      return { delay: COMMAND_TIMEOUT + 100 };
    };
    await failure(link.send([['echo', 'first']]));
    expect(await link.send([['echo', 'second']])).toEqual(['second']);
    expect(delayed).toBe(1);
  });

  it('asks a server that refuses after 250 ms, then less and less often, and finds it when it accepts', async () => {
    const control = await openProxy(server.port);
    const link = await openLink(control.url);
    const run = await untilUp(link);
    const { length } = control.connections;
    control.newHook = () => () => 'reset';
    control.proxy.resetAll();
    await vi.waitFor(() => expect(control.connections.length).toBeGreaterThanOrEqual(length + 4), SOON);
    const [first = 0, second = 0, third = 0, fourth = 0] = control.connections.slice(length);
    // Timers may fire a fraction of a millisecond early; that they fire late on a busy machine is no fault.
    expect(second - first).toBeGreaterThan(249);
    expect(third - second).toBeGreaterThan(249);
    expect(fourth - third).toBeGreaterThan(499);
    control.proxy.refuse();
    await failure(link.send(READ));
    await control.proxy.accept();
    control.newHook = () => () => 'forward';
    expect(await untilUp(link)).toBe(run);
  });

  it('knows a server that was restarted with its data as another run, and takes nothing of it for the former', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    const link = await openLink(own.url, { heartbeat: 50 });
    const run = await untilUp(link);
    await link.send([['set', 'key', 'old']]);
    await own.run('save');
    await link.send([['del', 'key']]);
    const seen = new Map([[run, await link.send(READ)]]);
    const restarting = own.stop('kill').then(() => own.start());
    while (seen.size < 2) {
      const before = link.run;
      const values = await link.send(READ).catch(() => undefined);
      if (values) seen.set(before ?? 'none', [...(seen.get(before ?? 'none') ?? []), ...values]);
      await new Promise(setImmediate);
    }
    await restarting;
    expect(link.run).not.toBe(run);
    expect([...seen.keys()]).toEqual([run, link.run]);
    expect(new Set(seen.get(run))).toEqual(new Set([null]));
    expect(seen.get(link.run ?? '')).toEqual(['old']);
  });

  it('knows a server that was restarted without its data as another run', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    const link = await openLink(own.url);
    const run = await untilUp(link);
    await link.send([['set', 'key', 'old']]);
    await own.stop('kill');
    own.forget();
    await untilAway(link);
    await own.start();
    expect(await untilUp(link)).not.toBe(run);
    expect(await link.send(READ)).toEqual([null]);
  });

  it('has no use for a server that follows another one, and knows another run when it leads again', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    const link = await openLink(own.url, { heartbeat: 50 });
    const run = await untilUp(link);
    await own.run('replicaof', '127.0.0.1', server.port);
    await untilAway(link);
    await vi.waitFor(async () => {
      expect(inspect(await failure(link.send(READ)))).toContain('the server is a replica');
    }, SOON);
    await own.run('replicaof', 'no', 'one');
    expect(await untilUp(link)).not.toBe(run);
  });

  it('opens without a server, and finds it when there is one', async () => {
    const port = await freePort();
    const link = await openLink(`redis://127.0.0.1:${String(port)}`);
    expect(link.run).toBeUndefined();
    expect(link.heardUntil).toBe(-Infinity);
    expect(inspect(await failure(link.send(READ)))).toContain('ECONNREFUSED');
    const late = await startOwnRedis({}, port);
    onTestFinished(() => late.close());
    await untilUp(link);
    expect(await link.send(READ)).toEqual([null]);
  });

  it('opens in time where connections are accepted and never answered', async () => {
    const control = await openProxy(server.port);
    control.hook = () => 'drop';
    const begun = performance.now();
    const link = await openLink(control.url, { connectTimeout: 500 });
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(link.run).toBeUndefined();
    control.hook = () => 'forward';
    await untilUp(link);
  });

  it('says that a password is wrong, and shows it nowhere', async () => {
    const own = await startOwnRedis({ requirepass: 'the-right-one' });
    onTestFinished(() => own.close());
    const wrong = await openLink(own.url.replace('the-right-one', 'the-secret-one'));
    expect(wrong.run).toBeUndefined();
    const error = await failure(wrong.send(READ));
    expect(inspect(error, { depth: 10, showHidden: true })).toContain('WRONGPASS');
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret');
    const none = await openLink(own.url.replace(':the-right-one@', ''));
    expect(inspect(await failure(none.send(READ)), { depth: 10 })).toContain('NOAUTH');
    expect((await openLink(own.url)).run).toBeDefined();
  });

  it('closes at once while the server is frozen, and leaves nothing that keeps the process', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    const child = startChild('close-link', [own.url]);
    const lines = child.lines[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('subscribed');
    own.freeze();
    child.process.stdin?.write('close\n');
    expect((await lines.next()).value).toBe('rejected');
    expect(Number((await lines.next()).value)).toBeLessThan(1_000);
    // An end that the server has to agree to would take two seconds.
    expect(Number((await lines.next()).value)).toBeLessThan(1_900);
    expect(await child.ended).toMatchObject({ code: 0, errors: '' });
  });

  it('scans a hundred thousand keys, and takes a prefix as it is', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    const link = await openLink(own.url, { commandTimeout: 10_000 });
    const prefix = String.raw`a*b?[c]\{d}^-:`;
    const fill = "for i = 1, tonumber(ARGV[2]) do redis.call('set', ARGV[1] .. i, '') end";
    await link.send([['eval', fill, 0, prefix, 100_000]]);
    await link.send([['eval', fill, 0, 'axbxc{d}^-:', 1_000]]);
    await link.send([['eval', fill, 0, 'other:', 1_000]]);
    const found = new Set<string>();
    let pieces = 0;
    for await (const keys of link.scan(prefix)) {
      pieces += 1;
      for (const name of keys) found.add(name);
    }
    expect(found.size).toBe(100_000);
    expect([...found].every((name) => name.startsWith(prefix))).toBe(true);
    expect(pieces).toBeGreaterThan(50);
    await own.stop('kill');
    await untilAway(link);
    await expect(link.scan(prefix)[Symbol.asyncIterator]().next()).rejects.toThrow('it is away');
  });

  it('ends a scan with an error when the server is restarted in the middle of it', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own.close());
    const link = await openLink(own.url);
    const fill = "for i = 1, 5000 do redis.call('set', 'k' .. i, '') end";
    await own.run('eval', fill, 0);
    await own.run('save');
    const run = link.run;
    const scanning = async (): Promise<void> => {
      for await (const keys of link.scan('k')) {
        expect(keys.length).toBeGreaterThan(0);
        if (link.run !== run) continue;
        await own.stop('kill');
        await own.start();
        await vi.waitFor(() => expect(link.run ?? run).not.toBe(run), SOON);
      }
    };
    await expect(scanning()).rejects.toThrow('it is in another run');
  });
});
