import { readFileSync } from 'node:fs';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';

/**
 * How much a connection is protected, by the names of libpq: `require` encrypts, `verify-ca` also asks for a certificate that a known
 * authority signed, `verify-full` also for one of that host. libpq's `allow` and `prefer` fall back to no encryption unseen, so they
 * are not taken.
 */
export const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** What a URL says about TLS; the others are paths of PEM files. */
export interface TlsParameters {
  readonly sslmode: SslMode;
  readonly sslrootcert: string | undefined;
  readonly sslcert: string | undefined;
  readonly sslkey: string | undefined;
}

/** {@link TlsParameters} with the files read. */
export interface TlsSettings {
  readonly sslmode: SslMode;
  /** The authorities to trust; Node's own unless given. */
  readonly ca: string | undefined;
  /** Who we are, and its key. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Reads the files; what cannot be is added to `problems`. */
export function readTlsSettings(
  given: TlsParameters,
  nameOf: (setting: string) => string,
  problems: string[],
): TlsSettings {
  const { sslmode, sslrootcert, sslcert, sslkey } = given;
  const read = (name: 'sslrootcert' | 'sslcert' | 'sslkey'): string | undefined => {
    const path = given[name];
    if (path === undefined) return undefined;
    if (sslmode === 'disable') {
      problems.push(`${nameOf(name)} needs an sslmode other than disable`);
      return undefined;
    }
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      problems.push(`${nameOf(name)} must be a file that can be read (${reason})`);
      return undefined;
    }
  };
  if ((sslcert === undefined) !== (sslkey === undefined)) {
    const [one, other] = sslcert === undefined ? ['sslkey', 'sslcert'] : ['sslcert', 'sslkey'];
    problems.push(`${nameOf(one)} needs ${other} beside it`);
  }
  // As libpq does: who names the authorities to trust means them to be asked.
  const mode = sslmode === 'require' && sslrootcert !== undefined ? 'verify-ca' : sslmode;
  return { sslmode: mode, ca: read('sslrootcert'), cert: read('sslcert'), key: read('sslkey') };
}

/** The options of Node's TLS for a connection to `host`; false for none. */
export function tlsOptions(host: string, { sslmode, ca, cert, key }: TlsSettings): ConnectionOptions | false {
  if (sslmode === 'disable') return false;
  return {
    rejectUnauthorized: sslmode !== 'require',
    // An address is no server name, so drivers leave it out, and Node would then compare the certificate with "localhost".
    checkServerIdentity: (_name, certificate) =>
      sslmode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}
