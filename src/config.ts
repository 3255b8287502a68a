import { type Language, languageFor, LANGUAGES } from './messages/catalog.js';

/** Where data is kept when nothing says otherwise: a file in the working directory. */
export const DEFAULT_DATABASE_URL = 'sqlite:./colloquy.sqlite';

/** What can be set from outside; every value has a default. */
export interface ConfigurationInput {
  /**
   * `sqlite:PATH`, `sqlite::memory:`, `postgresql://USER@HOST:5432/DATABASE` or `mariadb://USER@HOST:3306/DATABASE`. Unless given, DATABASE_URL and the variables beside it
   * say it (DATABASE_HOST, DATABASE_PASSWORD, …); where it is given, none of them is read.
   */
  readonly databaseUrl?: string;
  /**
   * Copies of the database that a read may ask for; from DATABASE_REPLICA_URLS unless given. What a URL leaves out (user, password,
   * database, parameters) is as in the database's own.
   */
  readonly replicaUrls?: readonly string[];
  /**
   * Redis as the cache that several processes share: `redis://[[USER]:PASSWORD@]HOST[:6379][/DATABASE]`, `rediss://…` with TLS, or
   * `redis-cluster://HOST:PORT,HOST:PORT`; REDIS_URL unless given. Empty for none.
   */
  readonly redisUrl?: string;
  /** The language of errors' messages, `en` unless COLLOQUY_LANGUAGE says otherwise: a tag of BCP 47, such as `zh-CN`, finds `zh`. */
  readonly language?: Language;
}

/** A database's URL, and what a person would look for to change one of its settings: `poolSize in DATABASE_URL`. */
export interface DatabaseAddress {
  readonly url: string;
  readonly nameOf: (setting: string) => string;
}

export interface Configuration {
  readonly database: DatabaseAddress;
  readonly replicas: readonly DatabaseAddress[];
  /** What is wrong so far. It is thrown together with what turns out to be wrong inside the URLs. */
  readonly problems: readonly string[];
}

/** A setting of a server: the variable that can say it, and how to find it in a URL. */
interface Setting {
  readonly variable: string;
  readonly read: (url: URL) => string;
  readonly write: (url: URL, value: string) => void;
}

const SETTINGS: ReadonlyMap<string, Setting> = new Map([
  [
    'host',
    part('DATABASE_HOST', 'hostname', (value) => (value.includes(':') ? `[${value}]` : encodeURIComponent(value))),
  ],
  ['port', part('DATABASE_PORT', 'port', String)],
  ['user', part('DATABASE_USER', 'username', encodeURIComponent)],
  ['password', part('DATABASE_PASSWORD', 'password', encodeURIComponent)],
  ['database', part('DATABASE_NAME', 'pathname', (value) => `/${encodeURIComponent(value)}`)],
  ['sslmode', parameter('sslmode', 'DATABASE_SSL_MODE')],
  ['sslrootcert', parameter('sslrootcert', 'DATABASE_SSL_ROOT_CERT')],
  ['sslcert', parameter('sslcert', 'DATABASE_SSL_CERT')],
  ['sslkey', parameter('sslkey', 'DATABASE_SSL_KEY')],
  ['poolSize', parameter('poolSize', 'DATABASE_POOL_SIZE')],
  ['poolIdle', parameter('poolIdle', 'DATABASE_POOL_IDLE')],
  ['connectTimeout', parameter('connectTimeout', 'DATABASE_CONNECT_TIMEOUT')],
  ['statementTimeout', parameter('statementTimeout', 'DATABASE_STATEMENT_TIMEOUT')],
  ['idleTimeout', parameter('idleTimeout', 'DATABASE_IDLE_TIMEOUT')],
  ['applicationName', parameter('applicationName', 'DATABASE_APPLICATION_NAME')],
  ['namedStatements', parameter('namedStatements', 'DATABASE_NAMED_STATEMENTS')],
  ['rowLevelSecurity', parameter('rowLevelSecurity', 'DATABASE_ROW_LEVEL_SECURITY')],
]);

/** The language of errors when nothing says otherwise. */
const DEFAULT_LANGUAGE: Language = 'en';

const LANGUAGE_VARIABLE = 'COLLOQUY_LANGUAGE';
const CACHE_VARIABLE = 'COLLOQUY_CACHE';
/** How the names of Colloquy's own variables begin, and those of its tests and benchmarks. */
const OWN_VARIABLES = 'COLLOQUY_';
const TEST_VARIABLES = 'COLLOQUY_TEST_';

/** Names of the same engine. */
const ALIASES: Readonly<Record<string, string>> = { postgres: 'postgresql', mysql: 'mariadb', file: 'sqlite' };

/** The language of errors; English where what was asked for is none that they speak. */
export function configuredLanguage(
  input: ConfigurationInput = {},
  environment: NodeJS.ProcessEnv = process.env,
): Language {
  return languageOf(input, environment) ?? DEFAULT_LANGUAGE;
}

function languageOf({ language }: ConfigurationInput, environment: NodeJS.ProcessEnv): Language | undefined {
  return languageFor(language ?? (environment[LANGUAGE_VARIABLE] || DEFAULT_LANGUAGE));
}

/** Where Redis is, if there is one, and whether nothing is to be cached unless something else is said: with COLLOQUY_CACHE=off. */
export function configuredCache(
  { redisUrl }: ConfigurationInput = {},
  environment: NodeJS.ProcessEnv = process.env,
): { readonly redisUrl: string | undefined; readonly isOff: boolean } {
  const url = redisUrl ?? environment['REDIS_URL'];
  return { redisUrl: url === '' ? undefined : url, isOff: environment[CACHE_VARIABLE] === 'off' };
}

/** A variable that is misspelt would have no effect, and nobody would hear of it. */
function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(OWN_VARIABLES) && environment[name] !== '')
    .filter((name) => ![LANGUAGE_VARIABLE, CACHE_VARIABLE].includes(name) && !name.startsWith(TEST_VARIABLES))
    .toSorted()
    .map((name) => `${name} is unknown; what can be set so is ${LANGUAGE_VARIABLE} and ${CACHE_VARIABLE}`);
}

/**
 * The only reader of the environment: what was given wins over the variables, a variable over the default. A variable that is empty
 * is not set. No problem shows a value, for any of them may be a secret.
 */
export function resolveConfiguration(
  input: ConfigurationInput = {},
  environment: NodeJS.ProcessEnv = process.env,
): Configuration {
  const problems: string[] = [];
  const isGiven = input.databaseUrl !== undefined;
  const database = isGiven ? addressOf(input.databaseUrl, problems) : fromVariables(environment, problems);
  const listed = isGiven ? [] : (environment['DATABASE_REPLICA_URLS'] ?? '').split(/[\s,]+/).filter(Boolean);
  const urls: readonly unknown[] = input.replicaUrls ?? listed;
  const replicas = urls.map((url) => replicaOf(database, url));
  if (!languageOf(input, environment)) problems.push(`COLLOQUY_LANGUAGE must be one of ${LANGUAGES.join(', ')}`);
  if (!['', 'on', 'off'].includes(environment[CACHE_VARIABLE] ?? '')) problems.push('COLLOQUY_CACHE must be on or off');
  problems.push(...unknownVariables(environment));
  return Object.freeze({ database, replicas, problems });
}

function addressOf(url: unknown, problems: string[]): DatabaseAddress {
  const isText = typeof url === 'string' && url !== '';
  if (!isText) problems.push('databaseUrl must be a URL, such as sqlite:./colloquy.sqlite');
  return { url: isText ? url : DEFAULT_DATABASE_URL, nameOf: (setting) => `${setting} in DATABASE_URL` };
}

/** DATABASE_URL with what the variables add to it, or a URL made of the variables alone. */
function fromVariables(environment: NodeJS.ProcessEnv, problems: string[]): DatabaseAddress {
  const text = environment['DATABASE_URL'] ?? '';
  const engine = environment['DATABASE_ENGINE'] ?? '';
  const said = [...SETTINGS].flatMap(([name, setting]) => {
    const value = environment[setting.variable] ?? '';
    return value === '' ? [] : [{ name, value, ...setting }];
  });
  const names = new Set(said.map(({ name }) => name).concat(engine === '' ? [] : 'scheme'));
  const nameOf = (name: string): string => {
    if (text !== '' && !names.has(name)) return `${name} in DATABASE_URL`;
    return SETTINGS.get(name)?.variable ?? 'DATABASE_ENGINE';
  };
  const scheme = schemeOf(text) ?? (engine || (said.length > 0 ? 'postgresql' : 'sqlite'));
  if (text !== '' && engine !== '' && nameOfEngine(engine) !== nameOfEngine(scheme)) {
    problems.push(contradicts('DATABASE_ENGINE'));
  }
  if (nameOfEngine(scheme) === 'sqlite') {
    problems.push(...said.map(({ variable }) => `${variable} is for servers, but the database is a file of SQLite`));
    return { url: text || DEFAULT_DATABASE_URL, nameOf };
  }
  const url = URL.parse(text || `${scheme}://localhost`);
  // What cannot be read, the engine refuses.
  if (!url) return { url: text || scheme, nameOf };
  for (const { name, variable, value, read, write } of said) {
    const known = text === '' ? '' : read(url);
    if (name === 'port' && !(/^\d{1,5}$/.test(value) && Number(value) > 0 && Number(value) < 65_536)) {
      problems.push(`${variable} must be a whole number from 1 to 65535`);
    } else if (known === '') write(url, value);
    else if (known !== value) problems.push(contradicts(variable));
  }
  return { url: url.href, nameOf };
}

/** A replica's URL, with the database's own settings where it has none. */
function replicaOf(database: DatabaseAddress, text: unknown): DatabaseAddress {
  const [own, url] = [URL.parse(database.url), typeof text === 'string' ? URL.parse(text) : null];
  const inherited = new Set<string>();
  if (own?.host && url?.host) {
    // One engine's parameters are not all in the list.
    const parameters = [...own.searchParams.keys()].map((name) => [name, parameter(name, '')] as const);
    for (const [name, { read, write }] of [...SETTINGS, ...parameters]) {
      if (name === 'host' || name === 'port' || read(url) !== '' || read(own) === '') continue;
      inherited.add(name);
      write(url, read(own));
    }
  }
  return {
    url: url?.host ? url.href : String(text),
    nameOf: (name) => (inherited.has(name) ? database.nameOf(name) : `${name} in DATABASE_REPLICA_URLS`),
  };
}

function part(
  variable: string,
  key: 'hostname' | 'port' | 'username' | 'password' | 'pathname',
  encode: (value: string) => string,
): Setting {
  return {
    variable,
    read: (url) => decode(key === 'pathname' ? url.pathname.slice(1) : url[key].replace(/^\[(.*)\]$/, '$1')),
    write: (url, value) => {
      url[key] = encode(value);
    },
  };
}

function parameter(name: string, variable: string): Setting {
  return {
    variable,
    read: (url) => url.searchParams.get(name) ?? '',
    write: (url, value) => {
      url.searchParams.set(name, value);
    },
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The engine says so.
    return text;
  }
}

function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1];
}

function nameOfEngine(scheme: string): string {
  const name = scheme.toLowerCase();
  return ALIASES[name] ?? name;
}

function contradicts(variable: string): string {
  return `${variable} and DATABASE_URL say different things; set one of them`;
}
