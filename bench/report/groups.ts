import type { Result, Results } from '../hot-paths.js';

/** The results on one engine. */
export interface Group {
  readonly title: string;
  readonly rows: readonly (readonly [name: string, result: Result])[];
  /** The other libraries that were measured there. */
  readonly peers: readonly string[];
}

const TITLES: Readonly<Record<string, string>> = { sqlite: 'SQLite', postgresql: 'PostgreSQL', mariadb: 'MariaDB' };
const OWN = new Set(['raw', 'colloquy', 'unitOfWork']);

/** The other libraries, in the order of the alphabet: the rounds leave that of the results to chance. */
function peersOf(results: readonly Result[]): string[] {
  const sides = new Set(results.flatMap(({ ratios }) => Object.keys(ratios)));
  return [...sides].filter((side) => !OWN.has(side)).toSorted();
}

/** The results by engine, without the engines that have none. An arena's name begins with that of its engine. */
export function groupsOf(results: Results): Group[] {
  return Object.entries(TITLES).flatMap(([engine, title]) => {
    const rows = Object.entries(results).filter(([name]) => new RegExp(`^${engine}[-/]`).test(name));
    return rows.length > 0 ? [{ title, rows, peers: peersOf(rows.map(([, result]) => result)) }] : [];
  });
}
