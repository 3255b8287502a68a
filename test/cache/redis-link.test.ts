import { afterAll, describe, expect, it } from 'vitest';
import { availableRedis } from '../support/available-redis.js';
import { failure, openLink, untilUp } from '../support/redis-links.js';

/** A value as it is set for a minute. */
const OLD = { text: 'old', milliseconds: 60_000 };

const server = await availableRedis();
const { url } = typeof server === 'string' ? { url: '' } : server;
/** Several runs of these tests may use one server. */
const PREFIX = `colloquy-test-${String(process.pid)}:`;
const key = (name: string): string => PREFIX + name;
/** Nothing is broken here: a machine that is busy shall break nothing either. */
const PATIENT = { commandTimeout: 10_000 };

describe.skipIf(typeof server === 'string')(
  `The link to a Redis server${typeof server === 'string' ? ` (skipped: ${server})` : ''}`,
  () => {
    afterAll(async () => {
      if (typeof server !== 'string') await server.close();
    });

    it('is up as soon as it is open, and two links to one server are in the same run', async () => {
      const links = [await openLink(url, PATIENT), await openLink(url, PATIENT)];
      expect(links[0]?.run).toMatch(/^\w{40}\.\w{40}$/);
      expect(links[1]?.run).toBe(links[0]?.run);
    });

    it('answers commands in their order', async () => {
      const link = await openLink(url, PATIENT);
      const name = key('order');
      const commands = Array.from({ length: 500 }, (_, index) => ['append', name, `${String(index)} `] as const);
      const results = await link.send([['del', name], ...commands, ['get', name], ['del', name]]);
      expect(results).toHaveLength(503);
      expect(results[501]).toBe(commands.map(([, , text]) => text).join(''));
    });

    it('keeps calls that are made at once in their order', async () => {
      const link = await openLink(url, PATIENT);
      const name = key('calls');
      const calls = Array.from({ length: 200 }, () => link.send([['incr', name]]));
      expect(await Promise.all(calls)).toEqual(Array.from({ length: 200 }, (_, index) => [index + 1]));
      expect(await link.send([['del', name]])).toEqual([1]);
    });

    it('answers texts as they are, and null where there is nothing', async () => {
      const link = await openLink(url, PATIENT);
      const text = `\u{1F600} \0 \r\n ${'x'.repeat(200_000)}`;
      const commands = [
        ['set', key('text'), text, 'px', 10_000],
        ['get', key('text')],
        ['get', key('none')],
      ] as const;
      expect(await link.send(commands)).toEqual(['OK', text, null]);
      expect(await link.send([])).toEqual([]);
    });

    it('rejects where one command fails, and shows no value of any', async () => {
      const link = await openLink(url, PATIENT);
      const secret = 'what nobody may see';
      const wrongType = await failure(
        link.send([
          ['set', key('type'), secret],
          ['lpush', key('type'), secret],
        ]),
      );
      expect(wrongType.reason).toBe('the server answered WRONGTYPE');
      const unknown = await failure(link.send([['no-such-command', secret]]));
      for (const { message, cause, stack } of [wrongType, unknown]) {
        expect(`${message} ${String(stack)} ${JSON.stringify(cause)} ${String(cause)}`).not.toContain(secret);
        expect(cause).not.toHaveProperty('command');
      }
      await link.send([['del', key('type')]]);
    });

    it('does not count the errors of wrong commands as absence', async () => {
      const link = await openLink(url, PATIENT);
      for (let count = 0; count < 10; count += 1) await failure(link.send([['no-such-command']]));
      expect(link.run).toBeDefined();
      expect(await link.send([['echo', 'here']])).toEqual(['here']);
    });

    it('replaces a value that is expected, for a time, and no other one', async () => {
      const link = await openLink(url, PATIENT);
      const name = key('replaced');
      const value = { text: 'new', milliseconds: 50_000 };
      expect(await link.replace(name, OLD, value)).toBe(false);
      await link.send([['set', name, 'old', 'PX', OLD.milliseconds]]);
      expect(await link.replace(name, { ...OLD, text: 'other' }, value)).toBe(false);
      expect(await link.replace(name, OLD, value)).toBe(true);
      const [text, life] = await link.send([
        ['get', name],
        ['pttl', name],
      ]);
      expect(text).toBe('new');
      expect(life).toBeGreaterThan(20_000);
      expect(life).toBeLessThanOrEqual(50_000);
      await link.remove(name, 'old');
      expect(await link.send([['get', name]])).toEqual(['new']);
      await link.remove(name, 'new');
      expect(await link.send([['get', name]])).toEqual([null]);
    });

    it('counts the time of the new value from when the old one was set', async () => {
      const link = await openLink(url, PATIENT);
      const name = key('late');
      // As if it had been set 40 seconds ago.
      await link.send([['set', name, 'old', 'PX', OLD.milliseconds - 40_000]]);
      expect(await link.replace(name, OLD, { text: 'new', milliseconds: 50_000 })).toBe(true);
      const [life] = await link.send([['pttl', name]]);
      expect(life).toBeGreaterThan(0);
      expect(life).toBeLessThanOrEqual(10_000);
      await link.send([['set', name, 'old', 'PX', OLD.milliseconds - 40_000]]);
      expect(await link.replace(name, OLD, { text: 'new', milliseconds: 40_000 })).toBe(false);
      expect(await link.send([['get', name]])).toEqual([null]);
    });

    it('lets one of many replace a value', async () => {
      const link = await openLink(url, PATIENT);
      const other = await openLink(url, PATIENT);
      const name = key('raced');
      await link.send([['set', name, 'old', 'PX', OLD.milliseconds]]);
      const calls = Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? link : other).replace(name, OLD, { text: String(index), milliseconds: 60_000 }),
      );
      expect((await Promise.all(calls)).filter(Boolean)).toHaveLength(1);
      await link.send([['del', name]]);
    });

    it('uses the database that the URL names', async () => {
      const first = await openLink(url, PATIENT);
      const second = await openLink(`${url.replace(/\/\d*$/, '')}/9`, PATIENT);
      await untilUp(second);
      await first.send([['set', key('database'), 'first', 'px', 10_000]]);
      expect(await second.send([['get', key('database')]])).toEqual([null]);
    });

    it('takes no call after it was closed, and may be closed twice', async () => {
      const link = await openLink(url, PATIENT);
      const pending = failure(link.send([['get', key('none')]]));
      await Promise.all([link.close(), link.close()]);
      expect((await pending).reason).toBe('the cache was closed');
      expect(link.run).toBeUndefined();
      expect((await failure(link.send([['get', key('none')]]))).reason).toBe('the cache was closed');
    });
  },
);
