import { ConfigurationError } from '../errors.js';
import type { Engine } from './engine.js';
import { createSqliteEngine } from './sqlite.js';

/** One line an engine: the URL schemes it answers to. */
const ENGINES: readonly (readonly [schemes: readonly string[], create: (url: string) => Engine])[] = [
  [['sqlite', 'file'], createSqliteEngine],
];

/**
 * The engine of a database URL.
 *
 * @throws ConfigurationError when no engine knows the scheme. The URL itself is not shown: it may carry a password.
 */
export function selectEngine(url: string): Engine {
  const scheme = /^([a-z][a-z0-9+]*):/i.exec(url)?.[1]?.toLowerCase();
  const found = ENGINES.find(([schemes]) => scheme !== undefined && schemes.includes(scheme));
  if (!found) {
    const known = ENGINES.flatMap(([schemes]) => schemes.map((name) => `${name}:`)).join(', ');
    throw new ConfigurationError([
      `DATABASE_URL begins with ${scheme === undefined ? 'no scheme' : `the unknown scheme ${scheme}:`}; known are ${known}`,
    ]);
  }
  return found[1](url);
}
