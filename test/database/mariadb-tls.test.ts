import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, NO_CERTIFICATES } from '../support/certificates.js';
import { codeOf, open } from '../support/conformance.js';
import { NO_OWN_MARIADB, startOwnMariaDb } from '../support/own-mariadb.js';
import type { OwnServer } from '../support/own-server.js';
import { rawRows } from '../support/raw-rows.js';

const reason = NO_OWN_MARIADB ?? NO_CERTIFICATES;

describe.skipIf(reason)(`MariaDB over TLS${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-tls-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let [server, plain]: OwnServer[] = [];
  let authority: Authority;
  let stranger: Authority;

  beforeAll(async () => {
    [authority, stranger] = [createAuthority(join(folder, 'ours')), createAuthority(join(folder, 'theirs'))];
    const { cert, key } = authority.certify('server', 'DNS:localhost');
    const files = { 'server.crt': cert, 'server.key': key, 'root.crt': authority.cert };
    const settings = { 'ssl-cert': '../server.crt', 'ssl-key': '../server.key', 'ssl-ca': '../root.crt' };
    server = await startOwnMariaDb(settings, files);
    plain = await startOwnMariaDb();
    for (const each of [server, plain]) await rawRows(each.url(), 'create database chats');
    await rawRows(server.url(), 'create user eve@localhost require ssl');
    await rawRows(server.url(), 'create user ada@localhost require x509');
    await rawRows(server.url(), 'grant all on chats.* to eve@localhost, ada@localhost');
  });
  afterAll(async () => {
    await server?.close();
    await plain?.close();
  });

  /** What a connection with these parameters comes to; one that was made must be encrypted. */
  const connect = async (
    given: Record<string, string>,
    { host = 'localhost', user = 'eve', to = server } = {},
  ): Promise<string> => {
    const url = new URL(to?.url('chats') ?? '');
    Object.assign(url, { hostname: host, username: user });
    for (const [name, value] of Object.entries(given)) url.searchParams.set(name, value);
    const encrypted = async () => {
      const persistence = await open(url.href);
      const rows = await persistence.withEntityManager((em) =>
        em.execute<{ Value: string }[]>(`show session status like 'Ssl_version'`),
      );
      expect(rows[0]?.Value).toMatch(/^TLS/);
    };
    return codeOf(encrypted());
  };

  it('is not used unless it is asked for', async () => {
    expect(await connect({})).toBe('DATABASE_UNAVAILABLE');
  });

  it('encrypts with sslmode=require, and does not go without where the server cannot', async () => {
    expect(await connect({ sslmode: 'require' })).toBe('resolved');
    expect(await connect({ sslmode: 'require' }, { host: '127.0.0.1' })).toBe('resolved');
    expect(await connect({ sslmode: 'require' }, { user: 'root', to: plain })).toBe('DATABASE_UNAVAILABLE');
  });

  it.each(['require', 'verify-ca', 'verify-full'])(
    'takes none but the authority of sslrootcert, by %s',
    async (sslmode) => {
      expect(await connect({ sslmode, sslrootcert: authority.path })).toBe('resolved');
      expect(await connect({ sslmode, sslrootcert: stranger.path })).toBe('DATABASE_UNAVAILABLE');
    },
  );

  it.each(['verify-ca', 'verify-full'])(
    'takes no server that no known authority vouches for, by %s',
    async (sslmode) => {
      expect(await connect({ sslmode })).toBe('DATABASE_UNAVAILABLE');
    },
  );

  it('compares the host with the certificate by verify-full alone', async () => {
    const other = authority.certify('other', 'DNS:db.example');
    const files = { 'server.crt': other.cert, 'server.key': other.key };
    const elsewhere = await startOwnMariaDb({ 'ssl-cert': '../server.crt', 'ssl-key': '../server.key' }, files);
    await rawRows(elsewhere.url(), 'create database chats');
    const to = { user: 'root', to: elsewhere };
    const sslrootcert = authority.path;
    const codes = [
      await connect({ sslmode: 'verify-ca', sslrootcert }, to),
      await connect({ sslmode: 'verify-full', sslrootcert }, to),
    ];
    await elsewhere.close();
    expect(codes).toEqual(['resolved', 'DATABASE_UNAVAILABLE']);
  });

  it('shows the certificate of the client', async () => {
    const [ada, forged] = [authority.certify('ada'), stranger.certify('ada')];
    const by = ({ certPath, keyPath }: typeof ada) => ({ sslmode: 'require', sslcert: certPath, sslkey: keyPath });
    expect(await connect(by(ada), { user: 'ada' })).toBe('resolved');
    expect(await connect({ sslmode: 'require' }, { user: 'ada' })).toBe('DATABASE_UNAVAILABLE');
    expect(await connect(by(forged), { user: 'ada' })).toBe('DATABASE_UNAVAILABLE');
  });
});
