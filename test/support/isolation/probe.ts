import { isDeepStrictEqual } from 'node:util';
import { ColloquyError } from '../../../src/errors.js';
import type { PersistenceManager } from '../../../src/services/persistence-manager.js';
import type { UnitOfWork } from '../../../src/services/unit-of-work.js';
import type { Furnished } from '../two-tenants.js';

export interface ProbeWorld {
  readonly persistence: PersistenceManager;
  /** Who tries. */
  readonly acme: Furnished;
  /** Whose rows are tried for; no row of it may change. */
  readonly beta: Furnished;
}

export type ErrorClass = abstract new (...parameters: never[]) => ColloquyError;
type Attempt = (world: ProbeWorld) => Promise<unknown>;
export type Work = (unit: UnitOfWork, world: ProbeWorld) => Promise<unknown>;

/** One way to reach another tenant's rows. */
export interface Probe {
  readonly name: string;
  /** Tries it; what is wrong with what it came to, or undefined. */
  readonly verdict: (world: ProbeWorld) => Promise<string | undefined>;
}

const OF_BETA = /(?:secret|user|chat) of beta/;

/** The way ends with an error of this class. */
export function refused(name: string, kind: ErrorClass, attempt: Attempt): Probe {
  return probe(name, attempt, {
    resolved: (result) => `came to ${show(result)}, where ${kind.name} was due`,
    rejected: (error) => (error instanceof kind ? undefined : `failed with ${describe(error)}, not with ${kind.name}`),
  });
}

/** The way is open, and comes to this. */
export function sees(name: string, expected: unknown, attempt: Attempt): Probe {
  return probe(name, attempt, {
    resolved: (result) => (isDeepStrictEqual(result, expected) ? undefined : `came to ${show(result)}`),
    rejected: (error) => `failed with ${describe(error)}`,
  });
}

/** The way comes to whatever it does to the tenant's own rows, or to one of the stated errors. */
export function harmless(name: string, attempt: Attempt): Probe {
  return probe(name, attempt, {
    resolved: () => undefined,
    rejected: (error) => (error instanceof ColloquyError ? undefined : `failed with ${describe(error)}`),
  });
}

/** An attempt inside a unit of work of acme that writes. */
export const writing =
  (work: Work): Attempt =>
  async (world) =>
    world.acme.tenant.transaction((unit) => work(unit, world));

/** An attempt inside a unit of work of acme that reads. */
export const reading =
  (work: Work): Attempt =>
  async (world) =>
    world.acme.tenant.read((unit) => work(unit, world));

interface Outcomes {
  readonly resolved: (result: unknown) => string | undefined;
  readonly rejected: (error: unknown) => string | undefined;
}

function probe(name: string, attempt: Attempt, outcomes: Outcomes): Probe {
  const verdict = async (world: ProbeWorld): Promise<string | undefined> => {
    try {
      const result = await attempt(world);
      return outcomes.resolved(result) ?? leakOf(show(result));
    } catch (error) {
      return outcomes.rejected(error) ?? leakOf(describe(error));
    }
  };
  return { name, verdict };
}

function leakOf(text: string): string | undefined {
  return OF_BETA.test(text) ? `shows what is beta's: ${text}` : undefined;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function describe(error: unknown): string {
  return error instanceof ColloquyError ? `${error.name} ${show(error)}` : String(error);
}
