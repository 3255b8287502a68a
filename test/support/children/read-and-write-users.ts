// Opens a database whose rows are cached in Redis, and does what it is told, a line of JSON each: `read`, many times at once, or `write` users of
// the tenant acme. It answers each with a line.
import 'reflect-metadata';
import { createInterface } from 'node:readline';
import type { Consistency } from '../../../src/cache/policy.js';
import { PersistenceManager } from '../../../src/services/persistence-manager.js';
import { say } from '../say.js';

interface Order {
  readonly number: number;
  readonly id: string;
  /** What is written; it is read where there is none. */
  readonly nickname?: string;
  readonly times?: number;
}

const [databaseUrl = '', redisUrl = '', consistency = 'eventual'] = process.argv.slice(2);
const cache = { users: { consistency: consistency as Consistency } };
await using persistence = await PersistenceManager.open({ databaseUrl, redisUrl, cache });
const { users } = persistence.tenant('acme');

async function obey({ number, id, nickname, times = 1 }: Order): Promise<void> {
  const calls = Array.from({ length: times }, () =>
    nickname === undefined ? users.get(id) : users.update(id, { nickname }),
  );
  const found = (await Promise.all(calls)).map((user) => user.nickname);
  const { isUp, unconfirmed, regions } = persistence.cache.statistics();
  const isSettled = isUp && unconfirmed === 0;
  say(`${JSON.stringify({ number, found: [...new Set(found)], loads: regions['users']?.loads, isSettled })}\n`);
}

say('ready\n');
const work: Promise<void>[] = [];
for await (const line of createInterface({ input: process.stdin })) work.push(obey(JSON.parse(line) as Order));
await Promise.all(work);
