import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, NO_CERTIFICATES } from '../support/certificates.js';
import { codeOf, open } from '../support/conformance.js';
import { query } from '../support/engines.js';
import { NO_OWN_SERVER, type OwnServer, startOwnServer } from '../support/own-server.js';

const reason = NO_OWN_SERVER ?? NO_CERTIFICATES;

/** Everybody who encrypts may connect, and ada by her certificate alone. */
const ACCESS = `
hostssl all ada      127.0.0.1/32 cert
hostssl all postgres 127.0.0.1/32 trust
`;

describe.skipIf(reason)(`PostgreSQL over TLS${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-tls-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let [server, plain]: OwnServer[] = [];
  let authority: Authority;
  let stranger: Authority;

  beforeAll(async () => {
    [authority, stranger] = [createAuthority(join(folder, 'ours')), createAuthority(join(folder, 'theirs'))];
    const { cert, key } = authority.certify('server', 'DNS:localhost');
    const files = { 'server.crt': cert, 'server.key': key, 'root.crt': authority.cert, 'pg_hba.conf': ACCESS };
    server = await startOwnServer({ ssl: 'on', ssl_ca_file: 'root.crt' }, files);
    plain = await startOwnServer();
    await query(`${server.url()}?sslmode=no-verify`, 'create role ada superuser login');
  });
  afterAll(async () => {
    await server?.close();
    await plain?.close();
  });

  /** What a connection with these parameters comes to; one that was made must be encrypted. */
  const connect = async (
    given: Record<string, string>,
    { host = '127.0.0.1', user = 'postgres', to = server } = {},
  ) => {
    const url = new URL(to?.url() ?? '');
    Object.assign(url, { hostname: host, username: user });
    for (const [name, value] of Object.entries(given)) url.searchParams.set(name, value);
    const encrypted = async () => {
      const persistence = await open(url.href);
      const sql = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
      const rows = await persistence.withEntityManager((em) => em.execute<{ ssl: boolean }[]>(sql));
      expect(rows).toEqual([{ ssl: true }]);
    };
    return codeOf(encrypted());
  };

  it('is not used unless it is asked for', async () => {
    expect(await connect({})).toBe('DATABASE_UNAVAILABLE');
  });

  it('encrypts with sslmode=require, and does not go without where the server cannot', async () => {
    expect(await connect({ sslmode: 'require' })).toBe('resolved');
    expect(await connect({ sslmode: 'require' }, { to: plain })).toBe('DATABASE_UNAVAILABLE');
  });

  it.each(['require', 'verify-ca', 'verify-full'])(
    'takes none but the authority of sslrootcert, by %s',
    async (sslmode) => {
      const [ours, theirs] = [{ sslrootcert: authority.path }, { sslrootcert: stranger.path }];
      expect(await connect({ sslmode, ...ours }, { host: 'localhost' })).toBe('resolved');
      expect(await connect({ sslmode, ...theirs }, { host: 'localhost' })).toBe('DATABASE_UNAVAILABLE');
    },
  );

  it.each(['verify-ca', 'verify-full'])(
    'takes no server that no known authority vouches for, by %s',
    async (sslmode) => {
      expect(await connect({ sslmode }, { host: 'localhost' })).toBe('DATABASE_UNAVAILABLE');
    },
  );

  it('compares the host with the certificate by verify-full alone, also where it is an address', async () => {
    const sslrootcert = authority.path;
    expect(await connect({ sslmode: 'verify-ca', sslrootcert })).toBe('resolved');
    expect(await connect({ sslmode: 'verify-full', sslrootcert })).toBe('DATABASE_UNAVAILABLE');
  });

  it('shows the certificate of the client', async () => {
    const [ada, eve] = [authority.certify('ada'), stranger.certify('ada')];
    const by = ({ certPath, keyPath }: typeof ada) => ({ sslmode: 'require', sslcert: certPath, sslkey: keyPath });
    expect(await connect(by(ada), { user: 'ada' })).toBe('resolved');
    expect(await connect({ sslmode: 'require' }, { user: 'ada' })).toBe('DATABASE_UNAVAILABLE');
    expect(await connect(by(eve), { user: 'ada' })).toBe('DATABASE_UNAVAILABLE');
  });
});
