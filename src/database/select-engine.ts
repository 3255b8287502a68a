import { ConfigurationError } from '../errors.js';
import type { Engine } from './engine.js';
import type { NameOf } from './server-url.js';

type EngineFactory = (url: string, nameOf?: NameOf) => Engine;

/** One line an engine: the URL schemes it answers to. Only the chosen one's driver packages are loaded. */
const ENGINES: readonly (readonly [schemes: readonly string[], load: () => Promise<EngineFactory>])[] = [
  [['sqlite', 'file'], async () => (await import('./sqlite.js')).createSqliteEngine],
  [['postgresql', 'postgres'], async () => (await import('./postgresql.js')).createPostgreSqlEngine],
];

/**
 * The engine of a database URL.
 *
 * @throws ConfigurationError when no engine knows the scheme. The URL itself is not shown: it may carry a password.
 */
export async function selectEngine(
  url: string,
  nameOf: NameOf = (setting) => `${setting} in DATABASE_URL`,
): Promise<Engine> {
  const scheme = /^([a-z][a-z0-9+]*):/i.exec(url)?.[1]?.toLowerCase();
  const found = ENGINES.find(([schemes]) => scheme !== undefined && schemes.includes(scheme));
  if (!found) {
    const known = ENGINES.flatMap(([schemes]) => schemes.map((name) => `${name}:`)).join(', ');
    const problem =
      scheme === undefined
        ? `${nameOf('the URL')} begins with no scheme`
        : `${nameOf('scheme')} is the unknown scheme ${scheme}:`;
    throw new ConfigurationError([`${problem}; known are ${known}`]);
  }
  const create = await found[1]();
  return create(url, nameOf);
}
