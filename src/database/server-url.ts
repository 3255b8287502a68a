import { ConfigurationError } from '../errors.js';
import { readTlsSettings, SSL_MODES, type SslMode, type TlsSettings } from './tls.js';

/** Where a database server is, and how to use it; times are milliseconds. */
export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: TlsSettings;
  readonly poolSize: number;
  readonly poolIdle: number;
  readonly connectTimeout: number;
  readonly statementTimeout: number;
  readonly idleTimeout: number;
  readonly applicationName: string;
}

/** What a person would look for to change a setting, such as `poolSize in DATABASE_URL`. */
export type NameOf = (setting: string) => string;

/** A parameter of a URL: a text that does not match is refused. */
export interface UrlParameter {
  readonly preset: string;
  readonly pattern: RegExp;
  readonly asks: string;
}

/** What the URLs of one engine look like. */
export interface UrlForm {
  /** The engine for people. */
  readonly engine: string;
  readonly example: string;
  readonly port: number;
  /** What it takes beyond the parameters of every server. */
  readonly parameters: Readonly<Record<string, UrlParameter>>;
}

const COUNT = { pattern: /^\d{1,4}$/, asks: 'a whole number from 0 to 9999' };
const DURATION = { pattern: /^\d{1,9}$/, asks: 'whole milliseconds' };

const FILE = { preset: '', pattern: /./, asks: 'the path of a file' };

const PARAMETERS = {
  sslmode: {
    preset: 'disable',
    pattern: new RegExp(`^(?:${SSL_MODES.join('|')})$`),
    asks: `one of ${SSL_MODES.join(', ')}`,
  },
  sslrootcert: FILE,
  sslcert: FILE,
  sslkey: FILE,
  poolSize: { preset: '25', pattern: /^[1-9]\d{0,3}$/, asks: 'a whole number from 1 to 9999' },
  poolIdle: { preset: '5', ...COUNT },
  connectTimeout: { preset: '5000', pattern: /^\d{1,7}$/, asks: DURATION.asks },
  statementTimeout: { preset: '30000', ...DURATION },
  idleTimeout: { preset: '30000', ...DURATION },
  applicationName: { preset: 'colloquy', pattern: /^[\x20-\x7e]{1,63}$/, asks: '1 to 63 printable ASCII characters' },
} satisfies Record<string, UrlParameter>;

/**
 * Reads `SCHEME://USER[:PASSWORD]@HOST[:PORT]/DATABASE?PARAMETER=…`. `own` are the parameters that only this engine takes.
 *
 * @throws ConfigurationError naming everything that is wrong; the URL and its password are never shown.
 */
export function parseServerUrl(
  text: string,
  form: UrlForm,
  nameOf: NameOf = (setting) => `${setting} in DATABASE_URL`,
): { readonly settings: ServerSettings; readonly own: Readonly<Record<string, string>> } {
  const url = URL.parse(text);
  if (!url) throw new ConfigurationError([`${nameOf('the URL')} cannot be read; write ${form.example}`]);
  const problems: string[] = [];
  const part = (name: string, encoded: string): string => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      problems.push(`${nameOf(name)} is not percent-encoded as it must be`);
      return '';
    }
  };
  const host = part('host', url.hostname.replace(/^\[(.*)\]$/, '$1'));
  const user = part('user', url.username);
  const password = part('password', url.password);
  const database = part('database', url.pathname.slice(1));
  if (user === '') problems.push(`${nameOf('user')} is missing; write ${form.example}`);
  if (database === '') problems.push(`${nameOf('database')} is missing; write ${form.example}`);
  const known: Readonly<Record<string, UrlParameter>> = { ...PARAMETERS, ...form.parameters };
  const given = readParameters(url.searchParams, form.engine, known, nameOf, problems);
  const value = (name: keyof typeof PARAMETERS): string => given[name] ?? PARAMETERS[name].preset;
  const poolSize = Number(value('poolSize'));
  const poolIdle =
    given['poolIdle'] === undefined ? Math.min(Number(value('poolIdle')), poolSize) : Number(given['poolIdle']);
  if (poolIdle > poolSize) problems.push(`${nameOf('poolIdle')} must not be greater than poolSize`);
  // One that is wrong was at least meant to encrypt.
  const isWrongMode = given['sslmode'] === undefined && url.searchParams.has('sslmode');
  const tls = readTlsSettings(
    {
      sslmode: isWrongMode ? 'require' : (value('sslmode') as SslMode),
      sslrootcert: given['sslrootcert'],
      sslcert: given['sslcert'],
      sslkey: given['sslkey'],
    },
    nameOf,
    problems,
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  const settings: ServerSettings = {
    host,
    port: Number(url.port || form.port),
    user,
    password: password === '' ? undefined : password,
    database,
    tls,
    poolSize,
    poolIdle,
    connectTimeout: Number(value('connectTimeout')),
    statementTimeout: Number(value('statementTimeout')),
    idleTimeout: Number(value('idleTimeout')),
    applicationName: value('applicationName'),
  };
  const own = Object.entries(form.parameters).map(([name, { preset }]) => [name, given[name] ?? preset]);
  return { settings: Object.freeze(settings), own: Object.fromEntries(own) as Record<string, string> };
}

function readParameters(
  parameters: URLSearchParams,
  engine: string,
  known: Readonly<Record<string, UrlParameter>>,
  nameOf: NameOf,
  problems: string[],
): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of parameters) {
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!parameter) {
      const names = Object.keys(known).join(', ');
      problems.push(`${nameOf(`the unknown parameter ${name}`)} cannot be; ${engine} knows ${names}`);
    } else if (parameter.pattern.test(value)) given[name] = value;
    else problems.push(`${nameOf(name)} must be ${parameter.asks}`);
  }
  return given;
}

/** A server's database for people: engine, user, host and name, without the password. */
export function describeServer(engine: string, { user, host, port, database }: ServerSettings): string {
  return `${engine} ${user}@${host.includes(':') ? `[${host}]` : host}:${String(port)}/${database}`;
}
