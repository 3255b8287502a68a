import type { PoolClient } from 'pg';
import { FixedStatement, type RawRow, type Step } from './plan.js';
import { isConnectionLoss, type PreparingClient } from './postgresql-client.js';
import type { PostgreSqlPlanAccess } from './postgresql-plans.js';
import { OneTripQuery, type TripStatement } from './postgresql-query.js';
import { CommitInterruptedError } from './server-errors.js';

/** So many trips are under way before a step waits for one of them to end. */
const TRIPS_AT_ONCE = 8;
/** After so many milliseconds one trip more goes, as long as somebody waits: those that are under way may all stand before a lock. */
const PATIENCE = 20;
/** How many steps a trip takes at most. */
const STEPS_AT_ONCE = 16;
/** How many rows they may select together: who asks for one does not wait for thousands of another's. */
const ROWS_AT_ONCE = 1_000;
/**
 * How long steps that go together wait for a lock, in milliseconds, before each goes by itself: whoever holds it, such as a long unit of
 * work, keeps only the step from its work that asks for its row.
 */
const LOCK_LIMIT = '50';
const LIMIT_LOCKS = new FixedStatement("select set_config('lock_timeout', ?, true)");

interface Waiting {
  readonly step: Step;
  readonly tenantId: string;
  /** Whether it has to go by itself. */
  readonly isAlone: boolean;
  readonly resolve: (rows: readonly RawRow[]) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Steps that commit by themselves, each in one round trip. Where more are called for than can be under way at once, those that wait go
 * together, in one round trip and one transaction: so many messages cost a server little more than one. Each has rows or an error of its
 * own: when a transaction is taken back that several have shared, each of them goes by itself.
 */
export class SharedTrips {
  readonly #access: PostgreSqlPlanAccess;
  readonly #waiting: Waiting[] = [];
  #underWay = 0;
  /** Of those, so many are yet without a connection. */
  #asking = 0;
  #isHurrying = false;

  constructor(access: PostgreSqlPlanAccess) {
    this.#access = access;
  }

  /** Sends a step, and gives its rows when they are committed. */
  send(step: Step, tenantId: string): Promise<readonly RawRow[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ step, tenantId, isAlone: false, resolve, reject });
      if (this.#underWay < TRIPS_AT_ONCE) void this.#go();
      else this.#hurryLater();
    });
  }

  /** Lets one more trip go in a while, and again as long as somebody waits. */
  #hurryLater(): void {
    if (this.#isHurrying) return;
    this.#isHurrying = true;
    setTimeout(() => {
      this.#isHurrying = false;
      if (this.#waiting.length === 0) return;
      // Whoever asks for a connection takes some of them along.
      if (this.#asking === 0) void this.#go();
      this.#hurryLater();
    }, PATIENCE);
  }

  /** Makes a trip with whoever waits when there is a connection for it. */
  async #go(): Promise<void> {
    this.#underWay += 1;
    const last = this.#waiting.at(-1);
    try {
      const client = await this.#connect();
      try {
        const together = this.#take();
        if (together.length > 0) await this.#ride(client, together);
      } finally {
        client.release();
      }
    } catch (error) {
      // No connection was to be had, all the time that these have waited.
      const since = last === undefined ? -1 : this.#waiting.indexOf(last);
      for (const { reject } of this.#waiting.splice(0, since + 1)) reject(error);
    } finally {
      this.#underWay -= 1;
      if (this.#waiting.length > 0 && this.#underWay < TRIPS_AT_ONCE) void this.#go();
    }
  }

  async #connect(): Promise<PoolClient> {
    this.#asking += 1;
    try {
      return await this.#access.pool().connect();
    } finally {
      this.#asking -= 1;
    }
  }

  /** As many of those who wait as leave the others' trips as many. */
  #take(): readonly Waiting[] {
    const alone = this.#waiting.findIndex(({ isAlone }) => isAlone);
    if (alone === 0) return this.#waiting.splice(0, 1);
    const together = alone === -1 ? this.#waiting.length : alone;
    const share = Math.min(Math.ceil(together / (this.#asking + 1)), STEPS_AT_ONCE);
    let rows = 0;
    const crowded = this.#waiting.slice(0, share).findIndex(({ step }) => (rows += rowsOf(step)) > ROWS_AT_ONCE);
    const taken = this.#waiting.splice(0, crowded === -1 ? share : Math.max(crowded, 1));
    return taken.toSorted((a, b) => compare(a.step.locks ?? '', b.step.locks ?? ''));
  }

  /** Tells each of those who go together what has become of its step, or lets it go again. */
  async #ride(client: PoolClient, together: readonly Waiting[]): Promise<void> {
    let query: OneTripQuery | undefined;
    try {
      const commits = together.some(({ step }) => step.commits);
      const sent = (query = tripOf(this.#access, together, commits));
      const sql = together.map(({ step }) => step.statement.sql).join(';\n');
      const rows = await this.#access.traced(sql, () => (client as unknown as PreparingClient).send(sent));
      for (const [index, { resolve }] of together.entries()) resolve(rows[index] ?? []);
    } catch (error) {
      if (together.length > 1 && query?.isTakenBack) this.#goAlone(together);
      else for (const { reject } of together) reject(error);
    }
  }

  /** One of them stood in the way of all: by itself, each has an outcome of its own. */
  #goAlone(together: readonly Waiting[]): void {
    this.#waiting.unshift(...together.map((waiting) => ({ ...waiting, isAlone: true })));
    for (let free = TRIPS_AT_ONCE - this.#underWay; free > 0; free -= 1) void this.#go();
    this.#hurryLater();
  }
}

/**
 * Steps in one round trip, each limited to the rows of its tenant.
 *
 * @param commits Whether the trip is a transaction by itself, so that nobody knows what became of it when its answer is lost.
 */
export function tripOf(
  { bind, parserOf, convertError, prepare, limitTo }: PostgreSqlPlanAccess,
  together: readonly Pick<Waiting, 'step' | 'tenantId'>[],
  commits: boolean,
): OneTripQuery {
  const statements: TripStatement[] = [];
  const locks = together.length > 1 && together.some(({ step }) => step.locks !== undefined);
  if (locks) statements.push({ ...prepare(LIMIT_LOCKS), values: [LOCK_LIMIT], isSetting: true });
  let limited: string | undefined;
  for (const { step, tenantId } of together) {
    const limit = tenantId === limited ? undefined : limitTo(tenantId);
    if (limit) statements.push({ ...limit, isSetting: true });
    limited = tenantId;
    statements.push({ ...prepare(step.statement), values: step.values });
  }
  const convert = (error: Error, query: OneTripQuery): Error => {
    const isUnsure = commits && query.mayBeCommitted && isConnectionLoss(error);
    return isUnsure ? new CommitInterruptedError(error) : convertError(error, query.failedInSetting);
  };
  return new OneTripQuery(statements, { bind, parserOf, convert });
}

/** How many rows a step selects at most; what writes gives a few. */
function rowsOf({ isOne = false, commits = false, mostRows = ROWS_AT_ONCE }: Step): number {
  return isOne || commits ? 1 : mostRows;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
