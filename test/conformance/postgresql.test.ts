import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parsePostgreSqlUrl } from '../../src/database/postgresql-url.js';
import { selectEngine } from '../../src/database/select-engine.js';
import { ConfigurationError } from '../../src/errors.js';
import { openChat } from '../support/conformance.js';
import { ENGINES, withParameter } from '../support/engines.js';

const URL_OF_ALL =
  'postgres://ada:s%40crt@db.example:6432/chats?sslmode=verify-full&poolSize=3&poolIdle=1&connectTimeout=100' +
  '&statementTimeout=200&idleTimeout=300&applicationName=shop%201&namedStatements=false&rowLevelSecurity=false';

describe('the URL of a PostgreSQL database', () => {
  it('says where it is and how it is used', () => {
    expect(parsePostgreSqlUrl(URL_OF_ALL)).toEqual({
      host: 'db.example',
      port: 6432,
      user: 'ada',
      password: 's@crt',
      database: 'chats',
      tls: { sslmode: 'verify-full', ca: undefined, cert: undefined, key: undefined },
      poolSize: 3,
      poolIdle: 1,
      connectTimeout: 100,
      statementTimeout: 200,
      idleTimeout: 300,
      applicationName: 'shop 1',
      namedStatements: false,
      rowLevelSecurity: false,
    });
  });

  it('has defaults for all but host, user and database', () => {
    expect(parsePostgreSqlUrl('postgresql://ada@localhost/chats')).toMatchObject({
      host: 'localhost',
      port: 5432,
      password: undefined,
      tls: { sslmode: 'disable' },
      poolSize: 25,
      poolIdle: 5,
      statementTimeout: 30_000,
      applicationName: 'colloquy',
      namedStatements: true,
      rowLevelSecurity: true,
    });
  });

  it('is described without its password', async () => {
    expect((await selectEngine(URL_OF_ALL)).description).toBe('PostgreSQL ada@db.example:6432/chats');
  });

  it.each([
    ['an unknown parameter', 'postgresql://u:secret@h/d?speed=9', 'unknown parameter speed'],
    ['a parameter that cannot be', 'postgresql://u:secret@h/d?poolSize=0', 'poolSize'],
    ['more idle connections than there can be', 'postgresql://u:secret@h/d?poolSize=1&poolIdle=2', 'poolIdle'],
    ['no database', 'postgresql://u:secret@h', 'database in DATABASE_URL is missing'],
    ['no user', 'postgresql://h/d', 'user in DATABASE_URL is missing'],
    ['a port that is none', 'postgresql://u:secret@h:port/d', 'cannot be read'],
  ])('is refused with %s, and its password not shown', (_what, url, part) => {
    expect(() => parsePostgreSqlUrl(url)).toThrow(ConfigurationError);
    expect(() => parsePostgreSqlUrl(url)).toThrow(part);
    expect(() => parsePostgreSqlUrl(url)).not.toThrow('secret');
  });
});

interface Sent {
  readonly text: string;
  readonly name?: string;
}

/** What `pg` is asked to send from now on. */
function sentStatements(): readonly Sent[] {
  const sent: Sent[] = [];
  const send = Reflect.get(Client.prototype, 'query') as (this: Client, ...parameters: unknown[]) => unknown;
  function record(this: Client, ...parameters: unknown[]): unknown {
    const [first] = parameters;
    sent.push(typeof first === 'string' ? { text: first } : (first as Sent));
    return Reflect.apply(send, this, parameters);
  }
  Reflect.set(Client.prototype, 'query', record);
  onTestFinished(() => void Reflect.set(Client.prototype, 'query', send));
  return sent;
}

const found = ENGINES.filter(({ name }) => name === 'postgresql');

// A suite without tests is an error.
describe.skipIf(found.length === 0).each(found)('$name: the server', ({ freshUrl }) => {
  it.each(['true', 'false'])('gets every value bound, with namedStatements=%s', async (named) => {
    const { acme, chatId, userId } = await openChat(withParameter(await freshUrl(), 'namedStatements', named));
    const sent = sentStatements();
    for (let index = 0; index < 3; index++) {
      await acme.messages.append(chatId, { role: 'user', content: 'planted', metadata: { key: 'planted' } });
      await acme.users.update(userId, { nickname: 'planted', metadata: { list: ['planted'] } });
      await acme.users.getByExternalId(`planted-${String(index)}`).catch(() => undefined);
    }
    await acme.transaction(async ({ conversations, users }) => {
      await conversations.find({ title: { $like: 'planted%' }, user: users.ref(userId) });
      for await (const conversation of conversations.stream({ where: { title: 'planted' } }))
        expect(conversation).toBe(0);
    });
    expect(sent.length).toBeGreaterThan(20);
    expect(sent.filter(({ text }) => /planted|[0-9a-f]{8}-[0-9a-f]{4}-7/.test(text))).toEqual([]);
    const names = new Set(sent.flatMap(({ name }) => name ?? []));
    expect(names.size > 0).toBe(named === 'true');
  });
});
