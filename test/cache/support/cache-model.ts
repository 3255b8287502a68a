import type { Scheduler } from 'fast-check';
import type { CachePolicy } from '../../../src/cache/policy.js';
import { RedisTier } from '../../../src/cache/redis-tier.js';
import type { Region } from '../../../src/cache/region.js';
import type { Address } from '../../../src/cache/shared-tier.js';
import { TieredCache } from '../../../src/cache/tiered-cache.js';
import { type Fate, SimulatedClock, SimulatedLink, SimulatedRedis, simulatedTiming } from './simulated-world.js';

/** What happens in a history; processes and keys are numbers that are taken modulo how many there are. */
export type Action =
  | { readonly kind: 'read' | 'readMany' | 'write'; readonly process: number; readonly key: number }
  | { readonly kind: 'cut'; readonly process: number }
  | { readonly kind: 'heal'; readonly process: number }
  | { readonly kind: 'crash'; readonly process: number }
  | { readonly kind: 'restart'; readonly keepsSaved: boolean }
  | { readonly kind: 'save' }
  | { readonly kind: 'pass'; readonly milliseconds: number };

/** What is left out on purpose, so that the model shows that it would be noticed. */
export type Plant =
  'no lease check' | 'no flush when subscribed again' | 'no run in the stamp' | 'late stores live longer';

export interface History {
  readonly consistency: 'strong' | 'eventual';
  readonly processes: number;
  readonly keys: number;
  readonly actions: readonly Action[];
  readonly fates: readonly Fate[];
  readonly byTag: boolean;
  readonly plant?: Plant;
}

/** A row of the simulated database: it was overwritten or deleted so many times. */
interface Row {
  readonly version: number;
}

/** Every third version of a row is that it is deleted. */
function isDeleted(version: number): boolean {
  return version % 3 === 2;
}

interface Process {
  readonly link: SimulatedLink;
  readonly cache: TieredCache;
  readonly region: Region<Row>;
  isAlive: boolean;
}

/** Nothing is longer than this that is not to be waited for: longer than a time to live. */
const LONG = 10_000_000;

/** Plays a history, and gives what went wrong in it. */
export async function play(scheduler: Scheduler, history: History): Promise<string[]> {
  return new CacheModel(scheduler, history).play();
}

class CacheModel {
  readonly #scheduler: Scheduler;
  readonly #history: History;
  readonly #clock: SimulatedClock;
  readonly #redis: SimulatedRedis;
  readonly #processes: Process[];
  /** How often each row was written, and of how many writes it is known that they are done. */
  readonly #written: number[];
  readonly #resolved: number[];
  /** The writes of each row that each process itself has done. */
  readonly #own: number[][];
  readonly #wrong: string[] = [];
  readonly #pending = new Set<Promise<void>>();
  #fates = 0;
  /** Nothing else happens. */
  #isCalm = false;
  #tokens = 0;
  #hasCrashed = false;

  constructor(scheduler: Scheduler, history: History) {
    this.#scheduler = scheduler;
    this.#history = history;
    this.#clock = new SimulatedClock(scheduler);
    this.#redis = planted(new SimulatedRedis(this.#clock), history.plant);
    this.#written = Array.from({ length: history.keys }, () => 0);
    this.#resolved = [...this.#written];
    this.#own = Array.from({ length: history.processes }, () => [...this.#written]);
    this.#processes = Array.from({ length: history.processes }, () => this.#start());
  }

  async play(): Promise<string[]> {
    await this.#scheduler.waitFor(this.#act());
    this.#isCalm = true;
    for (const { link } of this.#processes) link.heal();
    await this.#scheduler.waitFor(this.#settle());
    return this.#wrong;
  }

  #start(): Process {
    const nextFate = (): Fate => {
      const { fates } = this.#history;
      this.#fates += 1;
      return this.#isCalm ? 'answered' : (fates[this.#fates % Math.max(1, fates.length)] ?? 'answered');
    };
    const { consistency, plant } = this.#history;
    const link = new SimulatedLink(this.#redis, nextFate, {
      tellsMissed: plant !== 'no flush when subscribed again',
      tellsRuns: plant !== 'no run in the stamp',
    });
    const token = (): string => `t${String((this.#tokens += 1))}`;
    const shared = new RedisTier(link, { namespace: 'model', token });
    const cache = new TieredCache({ shared, timing: simulatedTiming(this.#clock) });
    const policy: CachePolicy = { consistency, timeToLive: LONG / 2, negativeTimeToLive: LONG / 2 };
    return { link, cache, region: cache.region<Row>('rows', policy), isAlive: true };
  }

  /** Begins one action after the other, without waiting for what it has begun. */
  async #act(): Promise<void> {
    for (const action of this.#history.actions) {
      await this.#clock.turn('next action');
      this.#begin(action);
    }
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #begin(action: Action): void {
    if (action.kind === 'pass') return this.#clock.pass(action.milliseconds);
    if (action.kind === 'save') return this.#redis.save();
    if (action.kind === 'restart') return this.#redis.restart(action.keepsSaved);
    const index = action.process % this.#processes.length;
    const process = this.#processes[index] as Process;
    if (action.kind === 'cut') return process.link.cut();
    if (action.kind === 'heal') return process.link.heal();
    if (action.kind === 'crash') return this.#crash(index);
    const key = action.key % this.#history.keys;
    if (action.kind === 'read') this.#keep(this.#read(index, [key]));
    else if (action.kind === 'readMany') this.#keep(this.#read(index, [...this.#written.keys()]));
    else this.#keep(this.#write(index, key));
  }

  #keep(work: Promise<void>): void {
    const kept = work.finally(() => this.#pending.delete(kept));
    this.#pending.add(kept);
  }

  #crash(index: number): void {
    const process = this.#processes[index] as Process;
    process.isAlive = false;
    this.#hasCrashed = true;
    process.link.cut();
    void process.link.close();
    this.#processes[index] = this.#start();
    this.#own[index] = this.#written.map(() => 0);
  }

  #address(key: number): Address {
    return { key: `{t}:row:${String(key)}`, tags: this.#history.byTag ? [`{t}:tag:${String(key)}`] : [] };
  }

  /** The database answers with what is committed at some moment between the question and the answer. */
  async #load(key: number): Promise<Row | undefined> {
    await this.#clock.turn('to the database');
    const version = this.#written[key] ?? 0;
    await this.#clock.turn('from the database');
    return isDeleted(version) ? undefined : { version };
  }

  /** Whether a row, or that there is none, is of a version from this on. */
  #isFrom(least: number, row: Row | undefined, key: number): boolean {
    if (row) return row.version >= least;
    for (let version = least; version <= (this.#written[key] ?? 0); version += 1) if (isDeleted(version)) return true;
    return false;
  }

  async #read(index: number, keys: readonly number[]): Promise<void> {
    const process = this.#processes[index] as Process;
    const least = keys.map((key) => Math.max(this.#leastOf(key), this.#own[index]?.[key] ?? 0));
    const rows =
      keys.length === 1
        ? [await process.region.getOrLoad(this.#address(keys[0] ?? 0), () => this.#load(keys[0] ?? 0))]
        : await this.#readMany(process, keys);
    if (!process.isAlive) return;
    for (const [place, row] of rows.entries()) {
      if (!this.#isFrom(least[place] ?? 0, row, keys[place] ?? 0)) {
        this.#wrong.push(
          `process ${String(index)} read ${String(row?.version)} where ${String(least[place])} was done`,
        );
      }
    }
  }

  async #readMany({ region }: Process, keys: readonly number[]): Promise<(Row | undefined)[]> {
    const addresses = new Map(keys.map((key) => [key, this.#address(key)]));
    const rows = await region.getManyOrLoad(addresses, async (asked) => {
      const loaded = new Map<number, Row>();
      for (const key of asked) {
        const row = await this.#load(key);
        if (row) loaded.set(key, row);
      }
      return loaded;
    });
    return keys.map((key) => rows.get(key));
  }

  /** What every read that begins now must see, or a later one. */
  #leastOf(key: number): number {
    return this.#history.consistency === 'strong' ? (this.#resolved[key] ?? 0) : 0;
  }

  async #write(index: number, key: number): Promise<void> {
    const process = this.#processes[index] as Process;
    await this.#clock.turn('commit');
    if (!process.isAlive) return;
    const version = (this.#written[key] = (this.#written[key] ?? 0) + 1);
    await this.#clock.turn('committed');
    if (!process.isAlive) return;
    const { key: name, tags } = this.#address(key);
    const targets = this.#history.byTag ? { keys: [], tags } : { keys: [name], tags: [] };
    if (this.#history.consistency === 'strong') await process.cache.invalidateStrong(targets);
    else void process.cache.invalidate(targets);
    if (!process.isAlive) return;
    this.#resolved[key] = Math.max(this.#resolved[key] ?? 0, version);
    const own = this.#own[index] as number[];
    own[key] = Math.max(own[key] ?? 0, version);
  }

  /** Everything is well again: as soon as all is confirmed and heard, every process reads what the database has. */
  async #settle(): Promise<void> {
    while (this.#processes.some(({ cache }) => !cache.statistics().isUp || cache.statistics().unconfirmed > 0)) {
      await this.#clock.turn('recovery');
    }
    while (this.#processes.some(({ link }) => !link.hasHeardAll)) await this.#clock.turn('messages');
    // A process that died between its commit and its word left what had been; it goes with its time.
    if (this.#hasCrashed) this.#clock.pass(LONG);
    for (const [index, process] of this.#processes.entries()) {
      for (const [key, version] of this.#written.entries()) {
        const row = await process.region.getOrLoad(this.#address(key), () => this.#load(key));
        if (row?.version !== (isDeleted(version) ? undefined : version)) {
          this.#wrong.push(`in the end process ${String(index)} read ${String(row?.version)} of ${String(version)}`);
        }
      }
    }
  }
}

function planted(redis: SimulatedRedis, plant: Plant | undefined): SimulatedRedis {
  if (plant === 'no lease check') {
    redis.replace = (key, _expected, { text, milliseconds }) => {
      redis.execute(['set', key, text, 'PX', milliseconds]);
      return true;
    };
  }
  if (plant === 'late stores live longer') {
    const replace = redis.replace.bind(redis);
    redis.replace = (key, expected, value) => {
      if (!replace(key, expected, { ...value, milliseconds: Infinity })) return false;
      redis.execute(['set', key, value.text, 'PX', value.milliseconds]);
      return true;
    };
  }
  return redis;
}
