import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, NO_CERTIFICATES } from '../support/certificates.js';
import { NO_OWN_REDIS, type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { failure, openLink, untilUp } from '../support/redis-links.js';

const reason = NO_OWN_REDIS ?? NO_CERTIFICATES;

describe.skipIf(reason)(`The link to Redis over TLS${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-tls-'));
  let authority: Authority;
  let server: OwnRedis;

  beforeAll(async () => {
    authority = createAuthority(join(folder, 'ours'));
    const { certPath, keyPath } = authority.certify('server', 'DNS:localhost');
    const files = { 'tls-cert-file': certPath, 'tls-key-file': keyPath, 'tls-ca-cert-file': authority.path };
    server = await startOwnRedis(files);
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const urlOf = (parameters: Record<string, string>, host = 'localhost', scheme = 'rediss'): string =>
    `${scheme}://${host}:${String(server.port)}?${new URLSearchParams(parameters).toString()}`;

  it('is up where both ends show a certificate that the other one trusts', async () => {
    const { certPath: cert, keyPath: key } = authority.certify('client');
    const link = await openLink(urlOf({ ca: authority.path, cert, key }));
    await untilUp(link);
    expect(await link.send([['echo', 'here']])).toEqual(['here']);
  });

  it('is away where either end does not trust the other one', async () => {
    const stranger = createAuthority(join(folder, 'theirs'));
    const { certPath: cert, keyPath: key } = authority.certify('client');
    const refused = [
      [urlOf({ ca: stranger.path, cert, key }), /UNABLE_TO_VERIFY|self.signed|unable to verify|certificate/i],
      [urlOf({ ca: authority.path, cert, key }, '127.0.0.1'), /ERR_TLS_CERT_ALTNAME_INVALID/],
      [urlOf({ ca: authority.path }), /certificate|connection was lost|ECONNRESET/i],
      [urlOf({}, 'localhost', 'redis'), /connection was lost|ECONNRESET|no answer/],
    ] as const;
    for (const [url, cause] of refused) {
      const link = await openLink(url);
      expect(link.run).toBeUndefined();
      expect(inspect(await failure(link.send([['get', 'key']])), { depth: 10 })).toMatch(cause);
    }
  });
});
