import { ConfigurationError } from '../errors.js';

/** Where a PostgreSQL server is, and how to use it; times are milliseconds. */
export interface PostgreSqlSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly sslmode: SslMode;
  readonly poolSize: number;
  readonly poolIdle: number;
  readonly connectTimeout: number;
  readonly statementTimeout: number;
  readonly idleTimeout: number;
  readonly applicationName: string;
  readonly namedStatements: boolean;
}

const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];

const DEFAULTS = {
  sslmode: 'disable',
  poolSize: 25,
  poolIdle: 0,
  connectTimeout: 5_000,
  statementTimeout: 30_000,
  idleTimeout: 30_000,
  applicationName: 'colloquy',
  namedStatements: true,
} as const;

type Parameter = keyof typeof DEFAULTS;

/** What each parameter asks; a text that does not match is refused. */
const PARAMETERS: Readonly<Record<Parameter, { readonly pattern: RegExp; readonly asks: string }>> = {
  sslmode: { pattern: /^(?:disable|require|verify-full)$/, asks: SSL_MODES.join(', ') },
  poolSize: { pattern: /^[1-9]\d{0,3}$/, asks: 'a whole number from 1 to 9999' },
  poolIdle: { pattern: /^\d{1,4}$/, asks: 'a whole number from 0 to 9999' },
  connectTimeout: { pattern: /^\d{1,7}$/, asks: 'whole milliseconds' },
  statementTimeout: { pattern: /^\d{1,9}$/, asks: 'whole milliseconds' },
  idleTimeout: { pattern: /^\d{1,9}$/, asks: 'whole milliseconds' },
  applicationName: { pattern: /^[\x20-\x7e]{1,63}$/, asks: '1 to 63 printable ASCII characters' },
  namedStatements: { pattern: /^(?:true|false)$/, asks: 'true or false' },
};

/**
 * Reads `postgresql://USER[:PASSWORD]@HOST[:PORT]/DATABASE?PARAMETER=…`.
 *
 * @throws ConfigurationError naming everything that is wrong; the URL and its password are never shown.
 */
export function parsePostgreSqlUrl(text: string): PostgreSqlSettings {
  const url = URL.parse(text);
  if (!url) throw new ConfigurationError(['DATABASE_URL cannot be read; write postgresql://USER@HOST:5432/DATABASE']);
  const problems: string[] = [];
  const part = (name: string, encoded: string): string => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      problems.push(`the ${name} in DATABASE_URL is not percent-encoded as it must be`);
      return '';
    }
  };
  const user = part('user', url.username);
  const password = part('password', url.password);
  const database = part('database', url.pathname.slice(1));
  if (user === '') problems.push('DATABASE_URL names no user; write postgresql://USER@HOST:5432/DATABASE');
  if (database === '') problems.push('DATABASE_URL names no database; write postgresql://USER@HOST:5432/DATABASE');
  const given = readParameters(url.searchParams, problems);
  const number = (name: 'poolSize' | 'poolIdle' | 'connectTimeout' | 'statementTimeout' | 'idleTimeout') =>
    Number(given.get(name) ?? DEFAULTS[name]);
  const [poolSize, poolIdle] = [number('poolSize'), number('poolIdle')];
  if (poolIdle > poolSize) problems.push('poolIdle in DATABASE_URL must not be greater than poolSize');
  if (problems.length > 0) throw new ConfigurationError(problems);
  return Object.freeze({
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 5432),
    user,
    password: password === '' ? undefined : password,
    database,
    sslmode: (given.get('sslmode') ?? DEFAULTS.sslmode) as SslMode,
    poolSize,
    poolIdle,
    connectTimeout: number('connectTimeout'),
    statementTimeout: number('statementTimeout'),
    idleTimeout: number('idleTimeout'),
    applicationName: given.get('applicationName') ?? DEFAULTS.applicationName,
    namedStatements: (given.get('namedStatements') ?? 'true') === 'true',
  });
}

function readParameters(parameters: URLSearchParams, problems: string[]): Map<Parameter, string> {
  const given = new Map<Parameter, string>();
  for (const [name, value] of parameters) {
    if (!(name in PARAMETERS)) {
      const known = Object.keys(PARAMETERS).join(', ');
      problems.push(`DATABASE_URL has the unknown parameter ${name}; PostgreSQL knows ${known}`);
      continue;
    }
    const { pattern, asks } = PARAMETERS[name as Parameter];
    if (pattern.test(value)) given.set(name as Parameter, value);
    else problems.push(`${name} in DATABASE_URL must be ${asks}`);
  }
  return given;
}
