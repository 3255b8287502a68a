import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as paths and as text. */
export interface Certified {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** The authority's own certificate. */
  readonly path: string;
  readonly cert: string;
  /** A certificate for a name (`CN`), and for the hosts in `names`, such as `IP:127.0.0.1`. */
  certify(commonName: string, names?: string): Certified;
}

function openssl(parameters: readonly string[]): void {
  execFileSync('openssl', parameters, { stdio: 'ignore' });
}

/** Why no certificates can be made here; undefined where they can. */
export const NO_CERTIFICATES = ((): string | undefined => {
  try {
    openssl(['version']);
    return undefined;
  } catch {
    return 'no openssl command';
  }
})();

/** A certificate authority of the test's own, whose files are in `folder`. */
export function createAuthority(folder: string): Authority {
  mkdirSync(folder, { recursive: true });
  const [path, authorityKey] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl([
    'req',
    '-x509',
    ...newKey,
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
    '-keyout',
    authorityKey,
    '-out',
    path,
  ]);
  let made = 0;
  return {
    path,
    cert: readFileSync(path, 'utf8'),
    certify(commonName, names) {
      const name = join(folder, String(++made));
      const [certPath, keyPath, request, extensions] = [`${name}.crt`, `${name}.key`, `${name}.csr`, `${name}.ext`];
      writeFileSync(extensions, names === undefined ? '' : `subjectAltName=${names}\n`);
      openssl(['req', ...newKey, '-subj', `/CN=${commonName}`, '-keyout', keyPath, '-out', request]);
      const signing = ['-CA', path, '-CAkey', authorityKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      openssl(['x509', '-req', '-in', request, ...signing, '-out', certPath]);
      return { certPath, keyPath, cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
    },
  };
}
