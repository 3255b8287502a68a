import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { startChild } from '../support/child.js';
import { ENGINES, withParameter } from '../support/engines.js';
import { NO_OWN_REDIS, needsOwnRedis, startOwnRedis } from '../support/own-redis.js';
import { SOON } from '../support/redis-links.js';

/** SQLite where no server can be had. */
const ENGINE = ENGINES.find(({ name }) => name === 'postgresql') ?? ENGINES[0];
const USERS = 50;
const TURNS = 40;

interface Answer {
  readonly number: number;
  /** What was found, each once. */
  readonly found: readonly (string | null)[];
  readonly loads: number;
  readonly isSettled: boolean;
}

/** A process that reads and writes users when it is told to. */
class Other {
  readonly #tell: (text: string) => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly ready: Promise<void>;
  #count = 0;

  constructor(parameters: readonly string[]) {
    const { process, lines } = startChild('read-and-write-users', parameters);
    this.#tell = (text) => process.stdin?.write(text);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    void this.#listen(lines, resolve);
  }

  async #listen(lines: AsyncIterable<string>, isReady: () => void): Promise<void> {
    for await (const line of lines) {
      if (line === 'ready') isReady();
      else {
        const answer = JSON.parse(line) as Answer;
        this.#waiting.get(answer.number)?.(answer);
      }
    }
  }

  do(order: { readonly id: string; readonly nickname?: string; readonly times?: number }): Promise<Answer> {
    const number = (this.#count += 1);
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(number, resolve));
    this.#tell(`${JSON.stringify({ number, ...order })}\n`);
    return answered;
  }
}

async function start(consistency: 'strong' | 'eventual') {
  const redis = await startOwnRedis();
  onTestFinished(() => redis.close());
  const url = (await ENGINE?.freshUrl()) ?? '';
  const databaseUrl = ENGINE?.name === 'sqlite' ? url : withParameter(url, 'poolSize', '5');
  const plain = await PersistenceManager.open({ databaseUrl, cache: false });
  onTestFinished(() => plain.close());
  await plain.tenants.ensure({ slug: 'acme', name: 'Acme' });
  const { users } = plain.tenant('acme');
  const ids: string[] = [];
  for (let number = 0; number < USERS; number += 1) {
    const user = { externalId: String(number), username: 'user', nickname: '0' };
    ids.push((await users.create(user)).id);
  }
  const others = [0, 1].map(() => new Other([databaseUrl, redis.url, consistency])) as [Other, Other];
  await Promise.all(others.map(({ ready }) => ready));
  return { redis, users, ids, others };
}

describe.skipIf(NO_OWN_REDIS)(needsOwnRedis('Two processes over one Redis'), () => {
  it.each(['strong', 'eventual'] as const)(
    'load a row once that 1,000 readers want at once (%s)',
    async (consistency) => {
      const { ids, others } = await start(consistency);
      let [tries, loads] = [0, 0];
      // A machine that is busy may have to do without Redis for a moment; then both load.
      await vi.waitFor(async () => {
        const rows = ids.slice(10 * tries, 10 * (tries += 1));
        const before = loads;
        const answers = await Promise.all(
          others.map((other) => Promise.all(rows.map((id) => other.do({ id, times: 500 })))),
        );
        for (const { found } of answers.flat()) expect(found).toEqual(['0']);
        loads = answers.reduce((sum, own) => sum + Math.max(...own.map((answer) => answer.loads)), 0);
        expect([rows.length, loads - before]).toEqual([10, 10]);
      }, SOON);
    },
  );

  it.each(['strong', 'eventual'] as const)(
    'read no older row than they may while it is killed again and again (%s)',
    async (consistency) => {
      const { redis, users, ids, others } = await start(consistency);
      /** Of each row: the last version that was written and whose writer knows it, by whichever process. */
      const known = ids.map(() => [0, 0]);
      const wrong: string[] = [];
      const work = async (row: number, first: number): Promise<void> => {
        const id = ids[row] ?? '';
        const own = known[row] ?? [];
        for (let turn = 1; turn <= TURNS; turn += 1) {
          const who = (first + turn) % 2;
          if (turn % 4 === 0) {
            const version = Math.max(...own) + 1;
            await others[who]?.do({ id, nickname: String(version) });
            own[who] = version;
          }
          for (const reader of [0, 1]) {
            const least = consistency === 'strong' ? Math.max(...own) : (own[reader] ?? 0);
            const found = Number((await others[reader]?.do({ id }))?.found[0]);
            if (found < least) wrong.push(`process ${String(reader)} read ${String(found)} after ${String(least)}`);
          }
        }
      };
      const done = new AbortController();
      const working = Promise.all(ids.map((_id, row) => work(row, row))).finally(() => done.abort());
      for (let round = 0; round < 8 && !done.signal.aborted; round += 1) {
        await redis.stop('kill');
        await redis.start();
        // They find it again, or have done their work.
        const isBack = vi.waitFor(async () => {
          const clients = String(await redis.run('client', 'list'));
          expect(clients.split('\n').length).toBeGreaterThan(4);
        }, SOON);
        await Promise.race([isBack, working]);
      }
      await working;
      expect(wrong).toEqual([]);
      await vi.waitFor(async () => {
        const [id = ''] = ids;
        for (const other of others) expect((await other.do({ id })).isSettled).toBe(true);
      }, SOON);
      await vi.waitFor(async () => {
        for (const id of ids) {
          const { nickname } = await users.get(id);
          for (const other of others) expect((await other.do({ id })).found).toEqual([nickname]);
        }
      }, SOON);
    },
  );
});
