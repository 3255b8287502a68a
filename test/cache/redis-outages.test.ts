import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NotFoundError } from '../../src/errors.js';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { ENGINES, withParameter } from '../support/engines.js';
import { populate } from '../support/furnish.js';
import { NO_OWN_REDIS, needsOwnRedis, type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { openProxy, SOON } from '../support/redis-links.js';

/** SQLite where no server can be had: what Redis does is the same. */
const ENGINE = ENGINES.find(({ name }) => name === 'postgresql') ?? ENGINES[0];

const USERS = 6;
const ROUNDS = 1;
/**
 * How long a call may take while Redis is away, in milliseconds. Several calls of Redis may have to time out, 100 ms each, and under
 * `strong` a write waits 1.1 s; the rest is for a machine that is busy.
 */
const LONGEST = 2_000;
const LONGEST_STRONG_WRITE = 4_000;

type Way = Awaited<ReturnType<typeof openProxy>>;

interface Site {
  readonly redis: OwnRedis;
  /** The ways of the two managers to it. */
  readonly ways: readonly [Way, Way];
}

/** Begins, and gives what ends it. */
type Fault = (site: Site) => Promise<() => Promise<unknown>>;

function onTheWays(change: (ways: readonly Way[]) => void, which = [0, 1]): Fault {
  return async ({ ways }) => {
    change(ways.filter((_way, index) => which.includes(index)));
    return async () => {
      for (const way of ways) way.hook = () => 'forward';
    };
  };
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'is frozen': async ({ redis }) => {
    redis.freeze();
    onTestFinished(() => redis.thaw());
    return async () => redis.thaw();
  },
  'hears nothing': onTheWays((ways) => {
    for (const way of ways) way.hook = (direction) => (direction === 'toServer' ? 'drop' : 'forward');
  }),
  'is not heard': onTheWays((ways) => {
    for (const way of ways) way.hook = (direction) => (direction === 'toClient' ? 'drop' : 'forward');
  }),
  'is not heard by the first process alone': onTheWays(
    (ways) => {
      for (const way of ways) way.hook = (direction) => (direction === 'toClient' ? 'drop' : 'forward');
    },
    [0],
  ),
  'is not heard by the second process alone': onTheWays(
    (ways) => {
      for (const way of ways) way.hook = (direction) => (direction === 'toClient' ? 'drop' : 'forward');
    },
    [1],
  ),
  'resets every connection': onTheWays((ways) => {
    for (const way of ways) way.hook = () => 'reset';
  }),
  'refuses connections': async ({ ways }) => {
    for (const { proxy } of ways) {
      proxy.refuse();
      proxy.resetAll();
    }
    return () => Promise.all(ways.map(({ proxy }) => proxy.accept()));
  },
  'answers after 200 ms': onTheWays((ways) => {
    for (const way of ways) way.hook = (direction) => (direction === 'toClient' ? { delay: 200 } : 'forward');
  }),
  'has crashed, and comes back with nothing': async ({ redis }) => {
    await redis.stop('kill');
    return () => redis.start();
  },
};

function nameOfAbsence(error: unknown): string {
  if (error instanceof NotFoundError) return error.name;
  throw error;
}

/** Two managers that cache in one Redis, and one that does not cache; one tenant, whose rows they read and write. */
class World {
  readonly #isStrong: boolean;
  readonly #managers: readonly [PersistenceManager, PersistenceManager];
  readonly #plain: PersistenceManager;
  readonly #ids: string[] = [];
  readonly #gone: string[] = [];
  #conversationId = '';
  #messages = 0;
  #count = 0;
  longest = { read: 0, write: 0 };

  private constructor(isStrong: boolean, [one, other, plain]: readonly PersistenceManager[]) {
    this.#isStrong = isStrong;
    this.#managers = [one, other] as [PersistenceManager, PersistenceManager];
    this.#plain = plain as PersistenceManager;
  }

  static async open(consistency: 'strong' | 'eventual', { ways }: Site): Promise<World> {
    const url = (await ENGINE?.freshUrl()) ?? '';
    const databaseUrl = ENGINE?.name === 'sqlite' ? url : withParameter(url, 'poolSize', '3');
    const policy = { consistency, grace: 3_600_000 };
    const cache = { users: policy, conversations: policy, messages: policy, history: policy };
    const managers: PersistenceManager[] = [];
    for (const options of [...ways.map((way) => ({ redisUrl: way.url, cache })), { cache: false as const }]) {
      const manager = await PersistenceManager.open({ databaseUrl, ...options });
      onTestFinished(() => manager.close());
      managers.push(manager);
    }
    const world = new World(consistency === 'strong', managers);
    await world.#populate();
    return world;
  }

  async #populate(): Promise<void> {
    const { tenant, conversationId } = await populate(this.#plain, 'acme');
    this.#conversationId = conversationId;
    for (let number = 0; number < USERS + 12; number += 1) {
      const { id } = await tenant.users.create({ externalId: `user ${String(number)}`, username: 'user' });
      this.#ids.push(id);
    }
    await this.read();
  }

  /** Reads everything in both managers, and gives what each says. */
  async read(managers: readonly PersistenceManager[] = this.#managers): Promise<unknown[][]> {
    return Promise.all(
      managers.map(async (manager) => {
        const { users, conversations, messages } = manager.tenant('acme');
        const reads: Promise<unknown>[] = [
          ...this.#ids.map((id) => users.get(id)),
          ...this.#ids.map((_id, number) => users.getByExternalId(`user ${String(number)}`)),
          conversations.get(this.#conversationId),
          messages.history(this.#conversationId),
        ];
        return Promise.all(reads.map((read) => this.#timed('read', read.catch(nameOfAbsence))));
      }),
    );
  }

  async #timed<T>(kind: 'read' | 'write', call: Promise<T>): Promise<T> {
    const begun = performance.now();
    try {
      return await call;
    } finally {
      this.longest[kind] = Math.max(this.longest[kind], performance.now() - begun);
    }
  }

  /** Each of the managers writes, and what it has written is true at once, or for all where they are strong. */
  async work(): Promise<void> {
    for (const writer of this.#managers) {
      const { users, messages } = writer.tenant('acme');
      const nickname = String((this.#count += 1));
      const [id = '', gone = ''] = [this.#ids[this.#count % USERS], this.#ids[USERS + this.#gone.length]];
      const writes = [
        users.update(id, { nickname }),
        messages.append(this.#conversationId, { role: 'user', content: nickname }),
        writer.tenant('acme').transaction((unit) => unit.users.nativeDelete({ id: gone })),
      ];
      await Promise.all(writes.map((write: Promise<unknown>) => this.#timed('write', write)));
      this.#messages += 1;
      if (gone !== '') this.#gone.push(gone);
      for (const reader of this.#isStrong ? this.#managers : [writer]) {
        const tenant = reader.tenant('acme');
        const reads = [
          tenant.users.get(id).then((user) => user.nickname),
          tenant.conversations.get(this.#conversationId).then(({ messageCount }) => messageCount),
          tenant.messages.history(this.#conversationId).then((history) => history.map(({ seq }) => seq)),
          tenant.users.get(gone).catch(nameOfAbsence),
        ];
        const found = await Promise.all(reads.map((read: Promise<unknown>) => this.#timed('read', read)));
        const seqs = Array.from({ length: this.#messages }, (_unused, index) => index + 1);
        expect([this.#isStrong, ...found]).toEqual([this.#isStrong, nickname, this.#messages, seqs, 'NotFoundError']);
      }
    }
  }

  get states() {
    return this.#managers.map(({ cache }) => cache.statistics());
  }

  /** Resolves when both managers have Redis, and it has confirmed all that they told it. */
  async recovered(): Promise<void> {
    await vi.waitFor(() => {
      for (const { isUp, unconfirmed } of this.states) expect([isUp, unconfirmed]).toEqual([true, 0]);
    }, SOON);
  }

  /** Every row that a manager gives is what the database has; where they are eventual, as soon as they have heard. */
  async expectTruth(): Promise<void> {
    const [truth] = await this.read([this.#plain]);
    expect(truth?.filter((row) => row === 'NotFoundError')).toHaveLength(2 * this.#gone.length);
    const compare = async (): Promise<void> => expect(await this.read()).toEqual([truth, truth]);
    if (this.#isStrong) await compare();
    else await vi.waitFor(compare, SOON);
    await compare();
  }

  expectInTime(): void {
    const { read, write } = this.longest;
    expect([read, Math.max(read, LONGEST)]).toEqual([read, LONGEST]);
    const limit = this.#isStrong ? LONGEST_STRONG_WRITE : LONGEST;
    expect([write, Math.max(write, limit)]).toEqual([write, limit]);
  }
}

async function start(settings = {}): Promise<{ readonly site: Site; readonly worlds: readonly World[] }> {
  const redis = await startOwnRedis(settings);
  onTestFinished(() => redis.close());
  const site: Site = { redis, ways: [await openProxy(redis.port), await openProxy(redis.port)] };
  const worlds = await Promise.all([World.open('strong', site), World.open('eventual', site)]);
  return { site, worlds };
}

const together = (worlds: readonly World[], work: (world: World) => Promise<unknown>) => Promise.all(worlds.map(work));

describe.skipIf(NO_OWN_REDIS)(needsOwnRedis('Managers whose Redis fails'), () => {
  it.each(Object.entries(FAULTS))(
    'answer correctly and in time while it %s, and when it is well again',
    async (_name, fault) => {
      const { site, worlds } = await start();
      const heal = await fault(site);
      for (const world of worlds) world.longest = { read: 0, write: 0 };
      await together(worlds, async (world) => {
        for (let round = 0; round < ROUNDS; round += 1) await world.work();
        await world.read();
        world.expectInTime();
      });
      await heal();
      await together(worlds, async (world) => {
        await world.recovered();
        await world.expectTruth();
        await world.work();
        await world.expectTruth();
      });
    },
  );

  it('believe nothing of an old state that it comes back with', async () => {
    const { site, worlds } = await start();
    await together(worlds, (world) => world.read());
    await site.redis.run('save');
    await together(worlds, (world) => world.work());
    await site.redis.stop('kill');
    await site.redis.start();
    expect(Number(await site.redis.run('dbsize'))).toBeGreaterThan(USERS);
    await together(worlds, async (world) => {
      await world.recovered();
      // Before anything is written that would make the old state untrue in its turn.
      await world.expectTruth();
      await world.work();
      await world.expectTruth();
    });
  });

  it('are right however often it is killed while they work', async () => {
    const { site, worlds } = await start();
    const done = new AbortController();
    const working = together(worlds, async (world) => {
      for (let round = 0; round < 4; round += 1) await world.work();
    }).finally(() => done.abort());
    for (let round = 0; round < 6 && !done.signal.aborted; round += 1) {
      await site.redis.stop('kill');
      await Promise.race([vi.waitFor(() => expect(worlds[1]?.states[0]?.isUp).toBe(false), SOON), working]);
      await site.redis.start();
      await Promise.race([vi.waitFor(() => expect(worlds[1]?.states[0]?.isUp).toBe(true), SOON), working]);
    }
    await working;
    await together(worlds, async (world) => {
      await world.recovered();
      await world.expectTruth();
    });
  });

  it('are opened while it is away, and use it when it comes', async () => {
    const { site, worlds } = await start();
    await site.redis.stop('kill');
    const begun = performance.now();
    const late = await World.open('eventual', site);
    expect(performance.now() - begun).toBeLessThan(20_000);
    await late.work();
    await site.redis.start();
    await together([...worlds, late], async (world) => {
      await world.recovered();
      await world.work();
      await world.expectTruth();
    });
  });
});
