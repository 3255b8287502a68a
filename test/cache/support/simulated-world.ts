import type { Scheduler } from 'fast-check';
import type { Expiring, RedisCommand, RedisLink, RedisSubscriber } from '../../../src/cache/redis-link.js';
import type { Timing } from '../../../src/cache/timing.js';

/** How long a call waits for its answer, in milliseconds of the simulated clock. */
const CALL_LIMIT = 100;

/** What becomes of a call of Redis. */
export type Fate = 'answered' | 'never sent' | 'answer lost' | 'late';

interface Kept {
  readonly text: string;
  readonly expiresAt: number;
}

/**
 * A clock that moves on when a timer fires, in the order that the scheduler chooses. A later timer may fire before an earlier one, as
 * it does where a process was busy: then the earlier one fires late.
 */
export class SimulatedClock {
  readonly #scheduler: Scheduler;
  #now = 1_000_000;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get now(): number {
    return this.#now;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Lets something else happen first, or not. */
  async turn(what: string): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), what);
  }

  async wait(milliseconds: number): Promise<void> {
    const due = this.#now + milliseconds;
    await this.turn(`timer of ${String(milliseconds)} ms`);
    this.#now = Math.max(this.#now, due);
  }
}

/** Redis as its commands describe it, with the time of a simulated clock. */
export class SimulatedRedis {
  readonly clock: SimulatedClock;
  run = 1;
  isAway = false;
  #keys = new Map<string, Kept>();
  #saved = new Map<string, Kept>();
  readonly #links = new Set<SimulatedLink>();

  constructor(clock: SimulatedClock) {
    this.clock = clock;
  }

  /** What a server that is restarted comes back with. */
  save(): void {
    this.#saved = new Map(this.#keys);
  }

  /** Comes back in another run, with what was saved last or with nothing; all connections are lost. */
  restart(keepsSaved: boolean): void {
    this.run += 1;
    this.#keys = keepsSaved ? new Map(this.#saved) : new Map();
    for (const link of this.#links) link.lose();
  }

  join(link: SimulatedLink): void {
    this.#links.add(link);
  }

  execute([name, ...values]: RedisCommand): unknown {
    const [key = '', second = ''] = values.map(String);
    if (name === 'get') return this.#get(key);
    if (name === 'mget') return values.map((each) => this.#get(String(each)));
    if (name === 'del' || name === 'unlink') return values.filter((each) => this.#keys.delete(String(each))).length;
    if (name === 'publish') {
      for (const link of this.#links) link.publish(second);
      return 1;
    }
    if (name === 'set') return this.#set(key, second, values.slice(2));
    throw new Error(`The simulation knows no ${name}`);
  }

  replace(key: string, expected: Expiring, value: Expiring): boolean {
    const lease = this.#keys.get(key);
    if (this.#get(key) !== expected.text || !lease) return false;
    const left = value.milliseconds - (expected.milliseconds - (lease.expiresAt - this.clock.now));
    if (left <= 0) {
      this.#keys.delete(key);
      return false;
    }
    this.#keys.set(key, { text: value.text, expiresAt: this.clock.now + left });
    return true;
  }

  remove(key: string, expected: string): void {
    if (this.#get(key) === expected) this.#keys.delete(key);
  }

  names(): string[] {
    return [...this.#keys.keys()];
  }

  #get(key: string): string | null {
    const kept = this.#keys.get(key);
    return kept && kept.expiresAt > this.clock.now ? kept.text : null;
  }

  #set(key: string, text: string, options: readonly (string | number)[]): string | null {
    const before = this.#get(key);
    const expiresAt = this.clock.now + Number(options[options.indexOf('PX') + 1]);
    if (before === null || !options.includes('NX')) this.#keys.set(key, { text, expiresAt });
    return options.includes('GET') ? before : 'OK';
  }
}

/** What a link does as it should; a model leaves one out to see that it would be noticed. */
export interface LinkHabits {
  /** Whoever subscribes again is told that it may have missed something. */
  readonly tellsMissed: boolean;
  /** Another run of the server has another name. */
  readonly tellsRuns: boolean;
}

/** The way of one process to the simulated server. */
export class SimulatedLink implements RedisLink {
  readonly #redis: SimulatedRedis;
  readonly #nextFate: () => Fate;
  readonly #habits: LinkHabits;
  #subscriber: RedisSubscriber | undefined;
  /** What was published and not heard, with the time when it was. */
  #unheard: { readonly text: string; readonly at: number }[] = [];
  #isCut = false;
  #isLost = false;
  #isClosed = false;

  constructor(redis: SimulatedRedis, nextFate: () => Fate, habits: LinkHabits) {
    this.#redis = redis;
    this.#nextFate = nextFate;
    this.#habits = habits;
    redis.join(this);
  }

  get run(): string | undefined {
    if (this.#isCut || this.#isLost || this.#isClosed) return undefined;
    return this.#habits.tellsRuns ? String(this.#redis.run) : 'some run';
  }

  get heardUntil(): number {
    if (this.run === undefined) return -Infinity;
    return this.#unheard[0]?.at ?? this.#redis.clock.now;
  }

  get hasHeardAll(): boolean {
    return this.run !== undefined && this.#unheard.length === 0;
  }

  /** From here on nothing goes through. */
  cut(): void {
    this.#isCut = true;
    this.lose();
  }

  heal(): void {
    this.#isCut = false;
  }

  /** The connections are gone; others are made as soon as that is possible. */
  lose(): void {
    this.#unheard = [];
    if (this.#isLost || this.#isClosed) return;
    this.#isLost = true;
    void this.#reconnect();
  }

  publish(text: string): void {
    if (this.run === undefined) return;
    this.#unheard.push({ text, at: this.#redis.clock.now });
    void this.#hear();
  }

  async send(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    const results: unknown[] = [];
    await this.#call(async () => {
      for (const [index, command] of commands.entries()) {
        // Other clients' commands come between.
        if (index > 0) await this.#redis.clock.turn('next command');
        results.push(this.#redis.execute(command));
      }
    });
    return results;
  }

  async replace(key: string, expected: Expiring, value: Expiring): Promise<boolean> {
    let isReplaced = false;
    await this.#call(async () => void (isReplaced = this.#redis.replace(key, expected, value)));
    return isReplaced;
  }

  async remove(key: string, expected: string): Promise<void> {
    await this.#call(async () => this.#redis.remove(key, expected));
  }

  async *scan(prefix: string): AsyncGenerator<readonly string[]> {
    yield this.#redis.names().filter((name) => name.startsWith(prefix));
  }

  subscribe(_channel: string, subscriber: RedisSubscriber): void {
    this.#subscriber = subscriber;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #call(execute: () => Promise<void>): Promise<void> {
    const { clock } = this.#redis;
    const { run } = this;
    if (run === undefined) throw new Error('away');
    const fate = this.#nextFate();
    await clock.turn('on the way there');
    if (fate === 'late') {
      // The network holds it back, and the caller gives it up.
      const server = this.#redis.run;
      void clock.wait(CALL_LIMIT * 20).then(() => (this.#redis.run === server ? execute() : undefined));
    }
    const isReached = this.run === run;
    if (fate === 'answered' || fate === 'answer lost') if (isReached) await execute();
    if (fate === 'answered' && isReached) await clock.turn('on the way back');
    if (fate === 'answered' && this.run === run) return;
    await clock.wait(CALL_LIMIT);
    throw new Error('no answer');
  }

  async #hear(): Promise<void> {
    await this.#redis.clock.turn('message');
    // In the order in which they were published, whichever timer fires first.
    const message = this.#unheard.shift();
    if (message) this.#subscriber?.message(message.text);
  }

  async #reconnect(): Promise<void> {
    do await this.#redis.clock.wait(CALL_LIMIT);
    while (this.#isCut && !this.#isClosed);
    this.#isLost = false;
    if (this.#habits.tellsMissed) this.#subscriber?.missed();
  }
}

/** The time of a simulation, as a cache takes it. */
export function simulatedTiming(clock: SimulatedClock): Timing {
  return {
    now: () => clock.now,
    wallClock: () => clock.now,
    wait: (milliseconds) => clock.wait(milliseconds),
    random: () => 0.5,
  };
}
