import { isIP } from 'node:net';
import { ConfigurationError } from '../errors.js';
import { type NameOf, parseServerUrl, type ServerSettings, type UrlForm } from './server-url.js';

const FORM: UrlForm = {
  engine: 'MariaDB',
  example: 'mariadb://USER@HOST:3306/DATABASE',
  port: 3306,
  parameters: {},
};

/**
 * Reads `mariadb://USER[:PASSWORD]@HOST[:PORT]/DATABASE?PARAMETER=…`, or the same with `mysql:`.
 *
 * @throws ConfigurationError naming everything that is wrong; the URL and its password are never shown.
 */
export function parseMariaDbUrl(
  text: string,
  nameOf: NameOf = (setting) => `${setting} in DATABASE_URL`,
): ServerSettings {
  const { settings } = parseServerUrl(text, FORM, nameOf);
  if (settings.tls.sslmode === 'verify-full' && isIP(settings.host) !== 0) {
    // The driver would compare the certificate with "localhost".
    throw new ConfigurationError([
      `${nameOf('sslmode')} can be verify-full for the name of a host alone, not for an address`,
    ]);
  }
  return settings;
}
