import { parseJson } from '../json.js';
import type { RedisCommand, RedisLink } from './redis-link.js';
import { RedisUnavailableError } from './redis-unavailable-error.js';
import type { Address, Found, Lease, SharedTier, SharedTierSubscriber, Targets } from './shared-tier.js';

/** How long the generation of a tag is known, in milliseconds: longer than any value is kept. */
const GENERATION_LIFE = 24 * 60 * 60 * 1_000;
/** How long the report of a process is there, in milliseconds. */
const REPORT_LIFE = 30_000;
/** How many keys one command deletes. */
const DELETED_AT_ONCE = 500;

export interface RedisTierOptions {
  /** What the names of all keys begin with, so that several databases can have one server. */
  readonly namespace: string;
  /** Makes a text that nobody else makes. */
  readonly token: () => string;
}

/** What is published: who says it, and what is no longer true; null stands for everything. */
type Announcement = readonly [from: string, keys: readonly string[] | null, tags: readonly string[]];

/**
 * Tier two on Redis. Under a key there is, as a text,
 *
 * - `L` and a token: somebody is loading the value, and may store it while his token is there;
 * - `V`, a version, a line with the stamp of the lease, and the value.
 *
 * The stamp is the run of the server and the generations of the address's tags as they were when the lease was taken. A value is
 * believed only while they are the same: a server that came back with an old state is in another run, and to invalidate a tag is
 * to give it another generation, whatever has it.
 */
export class RedisTier implements SharedTier {
  readonly localMaxAge = Infinity;
  readonly isExact = false;
  readonly isShared = true;
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #channel: string;
  readonly #reports: string;
  readonly #token: () => string;
  readonly #self: string;

  constructor(link: RedisLink, { namespace, token }: RedisTierOptions) {
    this.#link = link;
    this.#prefix = `${namespace}:`;
    this.#channel = `${namespace}:invalidated`;
    this.#reports = `${namespace}:process:`;
    this.#token = token;
    this.#self = token();
  }

  get isUp(): boolean {
    return this.#link.run !== undefined;
  }

  get heardUntil(): number {
    return this.#link.heardUntil;
  }

  async read({ key, tags }: Address): Promise<Found> {
    const run = this.#run();
    if (tags.length === 0) {
      const [text] = await this.#link.send([['get', this.#prefix + key]]);
      return foundIn(text, run, []) ?? NOTHING;
    }
    const command: [string, string, ...string[]] = ['mget', this.#prefix + key];
    for (const tag of tags) command.push(this.#prefix + tag);
    const [texts] = (await this.#link.send([command])) as [unknown[]];
    const text = texts.shift();
    return foundIn(text, run, texts) ?? NOTHING;
  }

  async acquire(address: Address, milliseconds: number, instead?: string): Promise<Lease | Found> {
    const run = this.#run();
    const token = this.#token();
    const key = this.#prefix + address.key;
    const take: RedisCommand = ['set', key, `L${token}`, 'NX', 'GET', 'PX', milliseconds];
    // The generations are read when the lease is there: whatever is invalidated from now on takes the lease or changes one of them.
    const generations = address.tags.map((tag): RedisCommand => {
      return ['set', this.#prefix + tag, token, 'NX', 'GET', 'PX', GENERATION_LIFE];
    });
    const [before, ...known] = await this.#link.send([take, ...generations]);
    const current = known.map((generation) => generation ?? token);
    const lease: Lease = { kind: 'lease', address, token, milliseconds, stamp: stampOf(run, current) };
    if (before === null) return lease;
    const found = foundIn(before, run, current);
    if (found && !(found.kind === 'value' && found.version === instead)) return found;
    // What is there is not to be believed. If somebody has taken the lease meanwhile, he cannot store any more.
    const [, again] = await this.#link.send([['del', key], take]);
    return again === null ? lease : { kind: 'leased' };
  }

  async store(
    { address, token, stamp, milliseconds }: Lease,
    makeText: () => string,
    life: number,
  ): Promise<string | undefined> {
    const lease = { text: `L${token}`, milliseconds };
    const value = { text: `V${token}\n${stamp}\n${makeText()}`, milliseconds: Math.ceil(life) };
    return (await this.#link.replace(this.#prefix + address.key, lease, value)) ? token : undefined;
  }

  async release({ address, token }: Lease): Promise<void> {
    await this.#link.remove(this.#prefix + address.key, `L${token}`);
  }

  async invalidate({ keys, tags }: Targets): Promise<void> {
    this.#run();
    const commands = [
      ...keys.map((key): [string, RedisCommand] => [key, ['unlink', this.#prefix + key]]),
      ...tags.map((tag): [string, RedisCommand] => [
        tag,
        ['set', this.#prefix + tag, this.#token(), 'PX', GENERATION_LIFE],
      ]),
    ];
    const slots = Map.groupBy(commands, ([name]) => slotOf(name));
    await Promise.all([...slots.values()].map((slot) => this.#link.send(slot.map(([, command]) => command))));
    await this.#announce(keys, tags);
  }

  async clear(prefix = '{'): Promise<void> {
    this.#run();
    for await (const names of this.#link.scan(this.#prefix + prefix)) {
      for (const slot of Map.groupBy(names, slotOf).values()) {
        for (let first = 0; first < slot.length; first += DELETED_AT_ONCE) {
          await this.#link.send([['unlink', ...slot.slice(first, first + DELETED_AT_ONCE)]]);
        }
      }
    }
    await this.#announce(null, []);
  }

  async *keys(): AsyncGenerator<readonly string[]> {
    for await (const names of this.#link.scan(`${this.#prefix}{`)) {
      yield names.map((name) => name.slice(this.#prefix.length));
    }
  }

  async report(text: string | undefined): Promise<void> {
    this.#run();
    const key = `${this.#reports}${this.#self}`;
    await this.#link.send([text === undefined ? ['del', key] : ['set', key, text, 'PX', REPORT_LIFE]]);
  }

  async reports(): Promise<readonly string[]> {
    const texts: string[] = [];
    for await (const names of this.#link.scan(this.#reports)) {
      for (const name of names) {
        const [text] = await this.#link.send([['get', name]]);
        if (typeof text === 'string') texts.push(text);
      }
    }
    return texts;
  }

  subscribe(subscriber: SharedTierSubscriber): void {
    const message = (text: string): void => {
      const announcement = announcementIn(text);
      if (announcement?.[0] === this.#self) return;
      if (!announcement?.[1]) subscriber.missed();
      else subscriber.invalidated({ keys: announcement[1], tags: announcement[2] });
    };
    this.#link.subscribe(this.#channel, { message, missed: () => subscriber.missed() });
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  /** @throws RedisUnavailableError */
  #run(): string {
    const { run } = this.#link;
    if (run === undefined) throw new RedisUnavailableError('it is away');
    return run;
  }

  async #announce(keys: readonly string[] | null, tags: readonly string[]): Promise<void> {
    const announcement: Announcement = [this.#self, keys, tags];
    await this.#link.send([['publish', this.#channel, JSON.stringify(announcement)]]);
  }
}

const NOTHING: Found = { kind: 'nothing' };
const LEASED: Found = { kind: 'leased' };
/** What nobody here has written is given on as a value that cannot be read, for whoever reads values to count it. */
const FOREIGN: Found = { kind: 'value', text: '', version: '' };

function stampOf(run: string, generations: readonly unknown[]): string {
  return [run, ...generations].join(' ');
}

/** What a text means; undefined for what is not to be believed. */
function foundIn(text: unknown, run: string, generations: readonly unknown[]): Found | undefined {
  if (text === null || typeof text !== 'string') return undefined;
  if (text.startsWith('L')) return LEASED;
  const stampAt = text.indexOf('\n') + 1;
  if (!text.startsWith('V') || stampAt === 0) return FOREIGN;
  const textAt = endOfStamp(text, stampAt, run, generations) + 1;
  return textAt > 0 && text[textAt - 1] === '\n'
    ? { kind: 'value', text: text.slice(textAt), version: text.slice(1, stampAt - 1) }
    : undefined;
}

/** Where the stamp ends that begins at a place of a text; a negative number where another one is there. */
function endOfStamp(text: string, begin: number, run: string, generations: readonly unknown[]): number {
  if (!text.startsWith(run, begin)) return NOWHERE;
  let end = begin + run.length;
  for (const generation of generations) {
    if (typeof generation !== 'string' || text[end] !== ' ' || !text.startsWith(generation, end + 1)) return NOWHERE;
    end += 1 + generation.length;
  }
  return end;
}

const NOWHERE = -2;

/** The part of a name that its slot in a cluster is made of; see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags. */
function slotOf(name: string): string {
  return /\{([^}]+)\}/.exec(name)?.[1] ?? name;
}

function announcementIn(text: string): Announcement | undefined {
  try {
    const value: unknown = parseJson(text);
    if (!Array.isArray(value) || typeof value[0] !== 'string') return undefined;
    const [from, keys, tags] = value as unknown[];
    return [from as string, isTexts(keys) ? keys : null, isTexts(tags) ? tags : []];
  } catch {
    // Whoever said it, nobody knows what: everything may be meant.
    return undefined;
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}
