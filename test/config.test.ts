import { describe, expect, it, vi } from 'vitest';
import { configuredLanguage, resolveConfiguration } from '../src/config.js';
import { ConfigurationError } from '../src/errors.js';
import { configuredEngine } from '../src/services/orm-engine.js';
import { rejectionOf } from './support/rejection.js';
import { temporaryFile } from './support/temporary-folder.js';

/** The URL that the variables add up to, and what is wrong with them. */
function resolved(environment: Record<string, string>): { readonly url: string; readonly problems: readonly string[] } {
  const { database, problems } = resolveConfiguration({}, environment);
  return { url: database.url, problems };
}

describe('the variables of the environment', () => {
  it.each<[string, Record<string, string>, string]>([
    ['nothing', {}, 'sqlite:./colloquy.sqlite'],
    ['empty variables', { DATABASE_URL: '', DATABASE_HOST: '' }, 'sqlite:./colloquy.sqlite'],
    ['a URL', { DATABASE_URL: 'sqlite:./a b.sqlite?durable=true' }, 'sqlite:./a b.sqlite?durable=true'],
    [
      'the parts of a server',
      {
        DATABASE_HOST: 'db.example',
        DATABASE_PORT: '6432',
        DATABASE_NAME: 'chats',
        DATABASE_USER: 'ada',
        DATABASE_PASSWORD: 's@cr/t%?#:',
        DATABASE_SSL_MODE: 'verify-full',
        DATABASE_POOL_SIZE: '3',
        DATABASE_APPLICATION_NAME: 'shop & co',
      },
      'postgresql://ada:s%40cr%2Ft%25%3F%23%3A@db.example:6432/chats?sslmode=verify-full&poolSize=3&applicationName=shop+%26+co',
    ],
    ['an address', { DATABASE_HOST: '::1', DATABASE_USER: 'u' }, 'postgresql://u@[::1]'],
    ['a folder of sockets', { DATABASE_HOST: '/run/pg', DATABASE_NAME: 'd' }, 'postgresql://%2Frun%2Fpg/d'],
    ['no host', { DATABASE_USER: 'u', DATABASE_NAME: 'd' }, 'postgresql://u@localhost/d'],
    [
      'an engine',
      { DATABASE_ENGINE: 'mariadb', DATABASE_HOST: 'h', DATABASE_USER: 'u', DATABASE_NAME: 'd' },
      'mariadb://u@h/d',
    ],
    [
      'a URL and what it leaves out',
      {
        DATABASE_URL: 'postgresql://ada@db/chats?poolSize=3',
        DATABASE_PASSWORD: 'secret',
        DATABASE_SSL_MODE: 'require',
      },
      'postgresql://ada:secret@db/chats?poolSize=3&sslmode=require',
    ],
    [
      'a URL and the same in parts',
      { DATABASE_URL: 'postgres://ada:p%40@db/chats', DATABASE_ENGINE: 'postgresql', DATABASE_PASSWORD: 'p@' },
      'postgres://ada:p%40@db/chats',
    ],
  ])('%s say where the database is', (_what, environment, url) => {
    expect(resolved(environment)).toEqual({ url, problems: [] });
  });

  it.each<[string, Record<string, string>]>([
    ['DATABASE_ENGINE', { DATABASE_ENGINE: 'mariadb' }],
    ['DATABASE_HOST', { DATABASE_HOST: 'other' }],
    ['DATABASE_PORT', { DATABASE_PORT: '5433' }],
    ['DATABASE_PASSWORD', { DATABASE_PASSWORD: 'secret of theirs' }],
    ['DATABASE_SSL_MODE', { DATABASE_SSL_MODE: 'require' }],
  ])('contradict the URL: %s', (variable, environment) => {
    const url = 'postgresql://ada:secret@db:5432/chats?sslmode=disable';
    const { problems } = resolved({ DATABASE_URL: url, ...environment });
    expect(problems).toEqual([`${variable} and DATABASE_URL say different things; set one of them`]);
  });

  it('are not for a file', () => {
    const environment = { DATABASE_HOST: 'db', DATABASE_POOL_SIZE: '3' };
    for (const file of [{ DATABASE_URL: 'sqlite:./x.sqlite' }, { DATABASE_ENGINE: 'sqlite' }]) {
      expect(resolved({ ...file, ...environment }).problems).toEqual([
        'DATABASE_HOST is for servers, but the database is a file of SQLite',
        'DATABASE_POOL_SIZE is for servers, but the database is a file of SQLite',
      ]);
    }
  });

  it('are not read where a URL is given', () => {
    const environment = { DATABASE_URL: 'sqlite:./theirs', DATABASE_HOST: 'db', DATABASE_REPLICA_URLS: 'x' };
    const { database, replicas, problems } = resolveConfiguration({ databaseUrl: 'sqlite:./ours' }, environment);
    expect([database.url, replicas, problems]).toEqual(['sqlite:./ours', [], []]);
  });

  it('name replicas, which are as the database in what they leave out', () => {
    const { replicas } = resolveConfiguration(
      {},
      {
        DATABASE_URL: 'postgresql://ada:secret@db:6432/chats?poolSize=3&sslmode=require&ofOneEngine=1',
        DATABASE_REPLICA_URLS: 'postgresql://one, postgresql://eve:own@two:7000/copy?poolSize=9\n',
      },
    );
    expect(replicas.map(({ url }) => url)).toEqual([
      'postgresql://ada:secret@one/chats?sslmode=require&poolSize=3&ofOneEngine=1',
      'postgresql://eve:own@two:7000/copy?poolSize=9&sslmode=require&ofOneEngine=1',
    ]);
  });
});

async function problemsOf(environment: Record<string, string>): Promise<readonly string[]> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const error = await rejectionOf(configuredEngine(), ConfigurationError).finally(() => vi.unstubAllEnvs());
  expect(JSON.stringify([error.message, error.problems])).not.toContain('secret');
  return error.problems;
}

describe('a configuration that cannot be', () => {
  it('names variables that would be read by nobody, beside all else that is wrong', async () => {
    const problems = await problemsOf({
      COLLOQUY_LANGAUGE: 'secret',
      COLLOQUY_DATABASE_URL: 'sqlite:./secret.sqlite',
      COLLOQUY_EMPTY: '',
      COLLOQUY_TEST_DATA: '/of/the/tests',
      COLLOQUY_LANGUAGE: 'secret-la',
      DATABASE_HOST: 'db',
      DATABASE_ENGINE: 'sqlite',
    });
    expect(problems).toEqual([
      'DATABASE_HOST is for servers, but the database is a file of SQLite',
      'COLLOQUY_LANGUAGE must be one of en, zh',
      'COLLOQUY_DATABASE_URL is unknown; what can be set so is COLLOQUY_LANGUAGE and COLLOQUY_CACHE',
      'COLLOQUY_LANGAUGE is unknown; what can be set so is COLLOQUY_LANGUAGE and COLLOQUY_CACHE',
    ]);
  });

  it.each([
    ['zh', 'zh'],
    ['zh-Hant-TW', 'zh'],
    ['EN-gb', 'en'],
    ['', 'en'],
    ['zh_CN', undefined],
    ['zhx', undefined],
    ['la', undefined],
  ])('finds the language of the tag %j: %j', (tag, language) => {
    const environment = { COLLOQUY_LANGUAGE: tag };
    expect(configuredLanguage({}, environment)).toBe(language ?? 'en');
    expect(resolveConfiguration({}, environment).problems).toHaveLength(language === undefined ? 1 : 0);
  });

  it('names every wrong variable in one error, by its name, without its value', async () => {
    const problems = await problemsOf({
      DATABASE_HOST: 'db',
      DATABASE_PORT: '70000',
      DATABASE_PASSWORD: 'secret',
      DATABASE_SSL_MODE: 'prefer-secret',
      DATABASE_SSL_ROOT_CERT: temporaryFile('secret.pem'),
      DATABASE_POOL_SIZE: '0',
      DATABASE_REPLICA_URLS: 'postgresql://u:secret@one/d?poolIdle=-1,oracle://u:secret@two/d',
    });
    expect(problems).toEqual([
      'DATABASE_PORT must be a whole number from 1 to 65535',
      expect.stringMatching(/^DATABASE_USER is missing/),
      expect.stringMatching(/^DATABASE_NAME is missing/),
      'DATABASE_SSL_MODE must be one of disable, require, verify-ca, verify-full',
      'DATABASE_POOL_SIZE must be a whole number from 1 to 9999',
      'DATABASE_SSL_ROOT_CERT must be a file that can be read (ENOENT)',
      'poolIdle in DATABASE_REPLICA_URLS must be a whole number from 0 to 9999',
      expect.stringMatching(/^scheme in DATABASE_REPLICA_URLS is the unknown scheme oracle:/),
    ]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['an unknown engine', { DATABASE_ENGINE: 'oracle' }, /^DATABASE_ENGINE is the unknown scheme oracle:/],
    ['an engine that is no name', { DATABASE_ENGINE: 'my engine' }, /begins with no scheme/],
    [
      'a file of authorities that is not there',
      { DATABASE_URL: 'postgresql://u:secret@h/d?sslmode=verify-ca&sslrootcert=/none/secret.pem' },
      /^sslrootcert in DATABASE_URL must be a file that can be read \(ENOENT\)/,
    ],
    [
      'a certificate where nothing is encrypted',
      { DATABASE_URL: 'postgresql://u@h/d?sslrootcert=package.json' },
      /^sslrootcert in DATABASE_URL needs an sslmode other than disable/,
    ],
    [
      'a certificate without its key',
      { DATABASE_URL: 'postgresql://u@h/d?sslmode=require&sslcert=package.json' },
      /^sslcert in DATABASE_URL needs sslkey beside it/,
    ],
    ['replicas of a file', { DATABASE_REPLICA_URLS: 'sqlite:./copy.sqlite' }, /^DATABASE_REPLICA_URLS is for servers/],
    [
      'replicas of another engine',
      { DATABASE_URL: 'postgresql://u@h/d', DATABASE_REPLICA_URLS: 'sqlite:./copy.sqlite' },
      /^DATABASE_REPLICA_URLS must name servers of the same engine/,
    ],
  ])('is refused with %s', async (_what, environment, problem) => {
    expect(await problemsOf(environment)).toEqual([expect.stringMatching(problem)]);
  });
});
