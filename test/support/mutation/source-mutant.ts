/** A place in the source, and what stands there without the guard. */
export interface Dropped {
  /** Relative to `src`. */
  readonly file: string;
  /** Is there once. */
  readonly find: string;
  readonly replace: string;
}

/** A guard, and how it is dropped. */
export interface SourceMutant extends Dropped {
  /** What the guard sees to. */
  readonly guard: string;
  /** The test file that must fail without it, and what of it. */
  readonly test: string;
  readonly only?: string;
  /** SQLite unless the guard is only seen elsewhere. */
  readonly engine?: string;
  /** Guards any of which would do without the others: they are dropped together. */
  readonly also?: readonly Dropped[];
}

type Line = readonly [guard: string, find: string, replace: string, only: string];

/** Guards of one file of the source that one test file is to miss. */
export function mutants(file: string, test: string, lines: readonly Line[], engine?: string): SourceMutant[] {
  return lines.map(([guard, find, replace, only]) => ({
    guard,
    file,
    find,
    replace,
    test,
    ...(only !== '' && { only }),
    ...(engine !== undefined && { engine }),
  }));
}

/** A mutant that drops several guards at once. */
export function together(
  first: SourceMutant,
  ...also: readonly (Dropped & Pick<SourceMutant, 'guard'>)[]
): SourceMutant {
  return { ...first, guard: [first, ...also].map(({ guard }) => guard).join('; and '), also };
}

export const ISOLATION = 'test/conformance/isolation.test.ts';

/** Ways to another tenant's rows, as `test/support/isolation` names them. */
export const QUERIES = 'by queries of the ORM';
export const SQL = 'by SQL';
export const FLUSH = 'by a flush of the ORM';
export const BESIDE = 'by statements beside';
export const LIMIT = 'by the limit';
export const SERVICES = 'by the services';
