import { readFileSync } from 'node:fs';
import { ConfigurationError } from '../errors.js';
import { parseJson } from '../json.js';
import type { Engine } from './engine.js';
import type { NameOf } from './server-url.js';

interface EngineModule {
  /** The URL schemes that it answers to. */
  readonly schemes: readonly string[];
  readonly load: () => Promise<(url: string, nameOf?: NameOf) => Engine>;
  /** Optional peer dependencies without which it cannot be loaded. */
  readonly packages?: readonly string[];
}

/** One line an engine. Only the chosen one's driver packages are loaded. */
const ENGINES: readonly EngineModule[] = [
  { schemes: ['sqlite', 'file'], load: async () => (await import('./sqlite.js')).createSqliteEngine },
  { schemes: ['postgresql', 'postgres'], load: async () => (await import('./postgresql.js')).createPostgreSqlEngine },
  {
    schemes: ['mariadb', 'mysql'],
    load: async () => (await import('./mariadb.js')).createMariaDbEngine,
    packages: ['@mikro-orm/mariadb', 'mysql2'],
  },
];

/**
 * The engine of a database URL.
 *
 * @throws ConfigurationError when no engine knows the scheme, or its packages are not installed. The URL itself is not shown: it may
 *   carry a password.
 */
export async function selectEngine(
  url: string,
  nameOf: NameOf = (setting) => `${setting} in DATABASE_URL`,
): Promise<Engine> {
  const scheme = /^([a-z][a-z0-9+]*):/i.exec(url)?.[1]?.toLowerCase();
  const found = ENGINES.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme));
  if (!found) {
    const known = ENGINES.flatMap(({ schemes }) => schemes.map((name) => `${name}:`)).join(', ');
    const problem =
      scheme === undefined
        ? `${nameOf('the URL')} begins with no scheme`
        : `${nameOf('scheme')} is the unknown scheme ${scheme}:`;
    throw new ConfigurationError([`${problem}; known are ${known}`]);
  }
  const create = await found.load().catch((error: unknown) => {
    throw notInstalled(found, scheme, error) ?? error;
  });
  return create(url, nameOf);
}

/** Node's own error for a package that is not there, with what to type instead. */
function notInstalled({ packages = [] }: EngineModule, scheme: string | undefined, cause: unknown) {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' && packages.some((name) => String(message).includes(`'${name}'`));
  if (!isMissing) return undefined;
  const manifest: unknown = parseJson(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const { peerDependencies } = manifest as { peerDependencies: Readonly<Record<string, string>> };
  const versions = packages.map((name) => `${name}@${peerDependencies[name] ?? 'latest'}`);
  const problem = `${scheme ?? ''}: databases need packages that are not installed; run: npm install ${versions.join(' ')}`;
  return new ConfigurationError([problem], { cause });
}
