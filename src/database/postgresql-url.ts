import { type NameOf, parseServerUrl, type ServerSettings, type UrlForm } from './server-url.js';

/** Where a PostgreSQL server is, and how to use it. */
export interface PostgreSqlSettings extends ServerSettings {
  readonly namedStatements: boolean;
  readonly rowLevelSecurity: boolean;
}

const FORM: UrlForm = {
  engine: 'PostgreSQL',
  example: 'postgresql://USER@HOST:5432/DATABASE',
  port: 5432,
  parameters: {
    namedStatements: { preset: 'true', pattern: /^(?:true|false)$/, asks: 'true or false' },
    rowLevelSecurity: { preset: 'true', pattern: /^(?:true|false)$/, asks: 'true or false' },
  },
};

/**
 * Reads `postgresql://USER[:PASSWORD]@HOST[:PORT]/DATABASE?PARAMETER=…`.
 *
 * @throws ConfigurationError naming everything that is wrong; the URL and its password are never shown.
 */
export function parsePostgreSqlUrl(text: string, nameOf?: NameOf): PostgreSqlSettings {
  const { settings, own } = parseServerUrl(text, FORM, nameOf);
  return Object.freeze({
    ...settings,
    namedStatements: own['namedStatements'] === 'true',
    rowLevelSecurity: own['rowLevelSecurity'] === 'true',
  });
}
