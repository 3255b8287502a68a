import { PersistenceManager } from '../../src/services/persistence-manager.js';
import { seededNumbers } from '../support/sources.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { CallingProcess } from './calling-process.js';
import { checkHistory, type Violation } from './check-history.js';
import type { Faults } from './faults.js';
import { type Call, readRecording } from './history.js';
import { readFinalState } from './workload.js';

const TENANT = 'acme';
/** Fewer than callers, so that some wait for one conversation; more than PostgreSQL is sent at once, so that others share a trip. */
const CONVERSATIONS = 24;
const PROCESSES = ['a', 'b'];
const CALLERS = 16;

export interface HistoryOptions {
  readonly databaseUrl: string;
  /** How many appends must be acknowledged. */
  readonly appends: number;
  readonly seed: number;
  readonly faults?: Faults;
}

export interface HistoryReport {
  readonly violations: readonly Violation[];
  /** Appends by outcome. */
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** Reads that were answered. */
  readonly reads: number;
  /** How often each error was given, those that calls are there to provoke included. */
  readonly errors: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/**
 * Lets 32 callers in two processes append to and read 24 conversations of a new database, while faults are fired, and holds what they
 * recorded and what is there at the end against the rules.
 */
export async function runHistory(options: HistoryOptions): Promise<HistoryReport> {
  const begun = performance.now();
  const conversations = await startConversations(options.databaseUrl);
  const calls = (await callFromTwoProcesses(options, conversations)).flatMap(readRecording);
  await using persistence = await PersistenceManager.open({ databaseUrl: options.databaseUrl });
  const final = await readFinalState(persistence.tenant(TENANT), conversations);
  const seconds = (performance.now() - begun) / 1_000;
  return { violations: checkHistory(calls, final), ...count(calls), seconds };
}

async function startConversations(databaseUrl: string): Promise<string[]> {
  await using persistence = await PersistenceManager.open({ databaseUrl });
  await persistence.tenants.ensure({ slug: TENANT, name: 'Acme' });
  const { users, conversations } = persistence.tenant(TENANT);
  const user = await users.create({ externalId: 'u-1', username: 'ada' });
  const ids: string[] = [];
  while (ids.length < CONVERSATIONS) ids.push((await conversations.start({ userId: user.id })).id);
  return ids;
}

/** Returns the recordings of all processes that there were. */
async function callFromTwoProcesses(
  { databaseUrl, appends, seed, faults }: HistoryOptions,
  conversations: readonly string[],
): Promise<string[]> {
  const [folder, progress] = [temporaryFolder(), new Progress()];
  const share = Math.ceil(appends / PROCESSES.length);
  const onAcknowledged = (): void => progress.advance();
  const processes = PROCESSES.map((name, index) => {
    const workload = { seed: seed + 1_000 * index, name, callers: CALLERS, conversations, appends: share };
    const callersUrl = faults?.callersUrl ?? databaseUrl;
    return new CallingProcess({ databaseUrl: callersUrl, tenant: TENANT, folder, workload, onAcknowledged });
  });
  await Promise.all(processes.map((calling) => calling.ready()));
  for (const calling of processes) calling.go();
  const done = Promise.all(processes.map((calling) => calling.done)).finally(() => progress.end());
  await Promise.all([done, faults && fireAtMoments(faults, { appends, seed, progress, processes })]);
  return processes.flatMap(({ recordings }) => recordings);
}

interface Firing {
  readonly appends: number;
  readonly seed: number;
  readonly progress: Progress;
  readonly processes: readonly CallingProcess[];
}

/** Fires one fault after the other, each at a moment that is drawn from the seed within its part of the work. */
async function fireAtMoments(faults: Faults, { appends, seed, progress, processes }: Firing): Promise<void> {
  const draw = seededNumbers(seed);
  const apart = Math.floor(appends / (faults.times + 1));
  const moments = Array.from({ length: faults.times }, (_, index) => index * apart + draw(apart));
  for (const moment of moments) {
    if (await progress.reached(moment)) await faults.fire(draw, processes);
  }
}

/** How many appends were acknowledged so far, in all processes. */
class Progress {
  #acknowledged = 0;
  #hasEnded = false;
  #awaited = Infinity;
  #wake = (): void => {};

  advance(): void {
    this.#acknowledged += 1;
    if (this.#acknowledged >= this.#awaited) this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** Resolves with true when there are so many; with false when the work has ended. One may wait at a time. */
  async reached(acknowledged: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.#awaited, this.#wake] = [acknowledged, resolve];
    if (this.#acknowledged < acknowledged && !this.#hasEnded) await promise;
    return !this.#hasEnded;
  }
}

function count(
  calls: readonly Call[],
): Pick<HistoryReport, 'acknowledged' | 'failed' | 'unknown' | 'reads' | 'errors'> {
  const errors: Record<string, number> = {};
  const counts = { acknowledged: 0, failed: 0, unknown: 0, reads: 0 };
  for (const { kind, outcome, error } of calls) {
    if (kind === 'append') counts[outcome] += 1;
    else if (outcome === 'acknowledged') counts.reads += 1;
    if (error !== undefined) errors[error] = (errors[error] ?? 0) + 1;
  }
  return { ...counts, errors };
}
