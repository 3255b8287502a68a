import { isDeepStrictEqual } from 'node:util';
import type { Eviction } from '../src/cache/local-tier.js';
import { importArchives, PersistenceManager } from '../src/index.js';
import type { CacheSettings } from '../src/services/cached-kinds.js';
import { type Arena, arenas } from './arenas.js';
import { benchArchives } from './data.js';
import { median } from './median.js';
import type { BenchRedis } from './cache/redis.js';
import { urlOf } from './cache/users-get.js';
import { type Habits, READS_OF_STEP, type Step, stepsOf, type Talk } from './cache/visits.js';

const KINDS = ['users', 'conversations', 'history'] as const;
type Kind = (typeof KINDS)[number];

const EVICTIONS: readonly Eviction[] = ['lru', 'lfu', 'fifo', 'ttl'];
const READS_PER_APPEND = [9, 30, 90] as const;
/** How many conversations are held at a time. */
const AT_ONCE = 200;
const EXPONENT = 1;
const SEED = 20_261_121;
/** What part of the rows of each kind the cache may keep. */
const PART = 0.1;
/** So many bytes that it is the number of entries alone that limits. */
const PLENTY = 2 ** 30;
/** Every so many steps, what the cache gives is compared with the database. */
const CHECKED_EVERY = 97;
const LAST = { last: 50 };

/** What became of the reads of one kind. */
export interface KindCounts {
  readonly hits: number;
  readonly misses: number;
  readonly loads: number;
  readonly evictions: number;
  readonly maxEntries: number;
}

/** One replay with a cache, by the habits of those who read. */
export interface Replay {
  readonly habit: 'conversations are held' | 'each step is another conversation';
  readonly readsPerAppend: number;
  readonly eviction: Eviction;
  readonly kinds: Readonly<Record<Kind, KindCounts>>;
  /** Of all reads. */
  readonly hitRate: number;
  /** Of a cache of unlimited size in the same replay: all that first reads and appends leave. */
  readonly bound: number;
  readonly checked: number;
}

/** The same steps with a cache and without, in seconds; the medians of the rounds, and of their ratios. */
export interface ReplayTime {
  readonly cached: number;
  readonly uncached: number;
  readonly times: number;
}

export interface ReplayResults {
  readonly archives: number;
  readonly conversations: number;
  readonly users: number;
  readonly messages: number;
  readonly steps: number;
  readonly exponent: number;
  readonly atOnce: number;
  readonly part: number;
  readonly replays: readonly Replay[];
  /** By engine, with `lru` and {@link READS_PER_APPEND}[1], where conversations are held. */
  readonly times: Readonly<Record<string, ReplayTime>>;
}

export interface ReplayOptions {
  readonly engines: readonly string[];
  readonly steps: number;
  readonly rounds: number;
  /** How many of the archives are read, the first ones. */
  readonly archives: number;
}

/** Conversations of the archives, read and appended to by habits that are stated; see `cache/visits.ts`. */
export async function replay(redis: BenchRedis | undefined, options: ReplayOptions): Promise<ReplayResults> {
  const archives = benchArchives().slice(0, options.archives);
  const replays: Replay[] = [];
  const times: Record<string, ReplayTime> = {};
  let counted = { conversations: 0, users: 0, messages: 0 };
  for (const arena of (await arenas(options.engines)).filter(({ name }) => ['sqlite', 'postgresql'].includes(name))) {
    const stage = await Stage.furnish(arena, archives, arena.name === 'postgresql' ? redis : undefined);
    try {
      counted = stage.counted;
      // What is read and what is kept is the same on each engine.
      if (replays.length === 0) replays.push(...(await stage.replayAll(options.steps)));
      times[arena.name] = await stage.time(options);
    } finally {
      await stage.remove();
    }
  }
  const [steps, common] = [options.steps, { exponent: EXPONENT, atOnce: AT_ONCE, part: PART }];
  return { archives: archives.length, ...counted, steps, ...common, replays, times };
}

/** A database with the conversations of archives, and a manager that caches nothing. */
class Stage {
  readonly #talks: readonly Talk[];
  readonly #userCount: number;
  readonly #url: string;
  readonly #plain: PersistenceManager;
  readonly #redis: BenchRedis | undefined;
  readonly #removeDatabase: () => Promise<void>;

  private constructor(
    talks: readonly Talk[],
    url: string,
    plain: PersistenceManager,
    redis: BenchRedis | undefined,
    removeDatabase: () => Promise<void>,
  ) {
    this.#talks = talks;
    this.#userCount = new Set(talks.map(({ userId }) => userId)).size;
    this.#url = url;
    this.#plain = plain;
    this.#redis = redis;
    this.#removeDatabase = removeDatabase;
  }

  static async furnish(arena: Arena, archives: readonly string[], redis: BenchRedis | undefined): Promise<Stage> {
    const { persistence, database, remove } = await arena.open();
    const { id: tenantId } = await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
    await importArchives(persistence.tenant('bench'), archives);
    const sql = 'select id, user_id, message_count from conversations where tenant_id = ? order by id';
    const rows = await persistence.withEntityManager(async (em) => {
      em.setFilterParams('tenant', { tenantId });
      return em.execute<{ id: string; user_id: string; message_count: number | string }[]>(sql, [tenantId]);
    });
    await persistence.close();
    const talks = rows.map((row) => ({ id: row.id, userId: row.user_id, messages: Number(row.message_count) }));
    const url = urlOf(database);
    const plain = await PersistenceManager.open({ databaseUrl: url, cache: false });
    process.stderr.write(`${arena.name}: ${String(talks.length)} conversations imported\n`);
    return new Stage(talks, url, plain, redis, remove);
  }

  get counted() {
    const messages = this.#talks.reduce((sum, talk) => sum + talk.messages, 0);
    return { conversations: this.#talks.length, users: this.#userCount, messages };
  }

  async replayAll(count: number): Promise<Replay[]> {
    const replays: Replay[] = [];
    for (const atOnce of [AT_ONCE, 0]) {
      for (const readsPerAppend of READS_PER_APPEND) {
        const steps = this.#steps(count, { readsPerAppend, atOnce });
        const bound = boundOf(steps);
        for (const eviction of EVICTIONS) {
          const habit = atOnce > 0 ? 'conversations are held' : 'each step is another conversation';
          const { kinds, checked } = await this.#replayOne(steps, eviction);
          const counts = Object.values(kinds);
          const hits = counts.reduce((sum, each) => sum + each.hits, 0);
          const hitRate = hits / counts.reduce((sum, each) => sum + each.hits + each.misses, 0);
          replays.push({ habit, readsPerAppend, eviction, kinds, hitRate, bound, checked });
        }
        process.stderr.write(`replay, ${String(readsPerAppend)} reads to an append, ${String(atOnce)} held: done\n`);
      }
    }
    return replays;
  }

  async time({ steps: count, rounds }: ReplayOptions): Promise<ReplayTime> {
    const steps = this.#steps(count, { readsPerAppend: READS_PER_APPEND[1], atOnce: AT_ONCE });
    const seconds = { cached: [] as number[], uncached: [] as number[] };
    for (let round = 0; round <= rounds; round += 1) {
      for (const side of round % 2 === 0 ? (['cached', 'uncached'] as const) : (['uncached', 'cached'] as const)) {
        const manager = side === 'uncached' ? this.#plain : await this.#openCached('lru', this.#redis?.url);
        globalThis.gc?.();
        const begin = performance.now();
        await walk(manager, steps);
        // The first round warms up; each begins with an empty cache.
        if (round > 0) seconds[side].push((performance.now() - begin) / 1_000);
        if (manager !== this.#plain) await close(manager);
      }
    }
    const times = median(seconds.uncached.map((each, round) => each / (seconds.cached[round] ?? each)));
    return { cached: median(seconds.cached), uncached: median(seconds.uncached), times };
  }

  async remove(): Promise<void> {
    await this.#plain.close();
    await this.#removeDatabase();
  }

  #steps(count: number, habits: Pick<Habits, 'readsPerAppend' | 'atOnce'>): Step[] {
    return stepsOf(this.#talks, count, { ...habits, exponent: EXPONENT, seed: SEED });
  }

  #openCached(eviction: Eviction, redisUrl = ''): Promise<PersistenceManager> {
    const policyOf = (rows: number) => ({ eviction, maxEntries: entriesOf(rows), maxBytes: PLENTY });
    const cache: CacheSettings = {
      users: policyOf(this.#userCount),
      conversations: policyOf(this.#talks.length),
      history: { ...policyOf(this.#talks.length), consistency: 'eventual' },
    };
    return PersistenceManager.open({ databaseUrl: this.#url, redisUrl, cache });
  }

  async #replayOne(steps: readonly Step[], eviction: Eviction) {
    // Without Redis, so that it is the memory of the process alone that answers.
    const manager = await this.#openCached(eviction);
    const checked = { count: 0 };
    try {
      await walk(manager, steps, async (read, index) => {
        if (index % CHECKED_EVERY !== 0) return;
        const stored = await readAll(this.#plain, steps[index] as Step);
        if (!isDeepStrictEqual(read, stored)) throw new Error(`step ${String(index)}: not what the database has`);
        checked.count += 1;
      });
      const { regions } = manager.cache.statistics();
      const limits = { users: this.#userCount, conversations: this.#talks.length, history: this.#talks.length };
      const kinds = KINDS.map((kind): [Kind, KindCounts] => {
        const region = regions[kind];
        const { hits, misses = 0, loads = 0, evictions = 0 } = region ?? {};
        const found = (hits?.local ?? 0) + (hits?.shared ?? 0);
        return [kind, { hits: found, misses, loads, evictions, maxEntries: entriesOf(limits[kind]) }];
      });
      return { kinds: Object.fromEntries(kinds) as Record<Kind, KindCounts>, checked: checked.count };
    } finally {
      await close(manager);
    }
  }
}

const entriesOf = (rows: number): number => Math.max(1, Math.floor(PART * rows));

async function close(manager: PersistenceManager): Promise<void> {
  await manager.cache.clear();
  await manager.close();
}

async function readAll(manager: PersistenceManager, { talk }: Step): Promise<readonly unknown[]> {
  const { conversations, users, messages } = manager.tenant('bench');
  return [await conversations.get(talk.id), await users.get(talk.userId), await messages.history(talk.id, LAST)];
}

async function walk(
  manager: PersistenceManager,
  steps: readonly Step[],
  visit?: (read: readonly unknown[], index: number) => Promise<void>,
): Promise<void> {
  const { messages } = manager.tenant('bench');
  for (const [index, step] of steps.entries()) {
    const read = await readAll(manager, step);
    await visit?.(read, index);
    if (step.appends) await messages.append(step.talk.id, { role: 'user', content: CONTENT, tokenCount: 21 });
  }
}

const CONTENT = 'How long does it take until the parcel is here, and who pays for it when I send it back?';

/** An append ends what is cached of its conversation and of the history, never of the user. */
function boundOf(steps: readonly Step[]): number {
  const known = new Set<string>();
  let hits = 0;
  for (const { talk, appends } of steps) {
    for (const key of [`c ${talk.id}`, `u ${talk.userId}`, `h ${talk.id}`]) {
      if (known.has(key)) hits += 1;
      known.add(key);
    }
    if (appends) for (const key of [`c ${talk.id}`, `h ${talk.id}`]) known.delete(key);
  }
  return hits / (READS_OF_STEP * steps.length);
}
