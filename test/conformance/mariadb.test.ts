import { describe, expect, it } from 'vitest';
import { parseMariaDbUrl } from '../../src/database/mariadb-url.js';
import { selectEngine } from '../../src/database/select-engine.js';
import { ConfigurationError } from '../../src/errors.js';
import { codeOf, open, openChat } from '../support/conformance.js';
import { ENGINES } from '../support/engines.js';
import { serverOf } from '../support/faulty-servers.js';
import { createGate, type Gate } from '../support/gate.js';

const URL_OF_ALL =
  'mariadb://ada:s%40crt@db.example:3307/chats?sslmode=verify-full&poolSize=3&poolIdle=1&connectTimeout=100' +
  '&statementTimeout=200&idleTimeout=300&applicationName=shop%201';

describe('the URL of a MariaDB database', () => {
  it('says where it is and how it is used', () => {
    expect(parseMariaDbUrl(URL_OF_ALL)).toEqual({
      host: 'db.example',
      port: 3307,
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
    });
    expect(parseMariaDbUrl('mariadb://ada@localhost/chats')).toMatchObject({ port: 3306, password: undefined });
  });

  it('is described without its password, by the name of its scheme', async () => {
    expect((await selectEngine(URL_OF_ALL)).description).toBe('MariaDB ada@db.example:3307/chats');
    expect((await selectEngine('mysql://ada:s@db/chats')).description).toBe('MySQL ada@db:3306/chats');
  });

  it.each([
    [
      'a parameter of another engine',
      'mariadb://u:secret@h/d?namedStatements=true',
      'unknown parameter namedStatements',
    ],
    [
      'no database',
      'mysql://u:secret@h',
      'database in DATABASE_URL is missing; write mariadb://USER@HOST:3306/DATABASE',
    ],
    ['verify-full for an address', 'mariadb://u:secret@127.0.0.1/d?sslmode=verify-full', 'sslmode in DATABASE_URL'],
    ['verify-full for an address of six', 'mariadb://u:secret@[::1]/d?sslmode=verify-full', 'sslmode in DATABASE_URL'],
  ])('is refused with %s, and its password not shown', (_what, url, part) => {
    expect(() => parseMariaDbUrl(url)).toThrow(ConfigurationError);
    expect(() => parseMariaDbUrl(url)).toThrow(part);
    expect(() => parseMariaDbUrl(url)).not.toThrow('secret');
  });
});

const found = ENGINES.filter(({ name }) => name === 'mariadb');

describe.skipIf(found.length === 0).each(found)('$name: the engine', ({ freshUrl }) => {
  it('is the same behind a URL of the scheme mysql', async () => {
    const { persistence, acme, chatId } = await openChat((await freshUrl()).replace(/^mariadb:/, 'mysql:'));
    await acme.messages.append(chatId, { role: 'user', content: 'hi' });
    expect(await acme.messages.history(chatId)).toHaveLength(1);
    expect(persistence.database).toMatch(/^MySQL /);
  });

  it('sets each connection to UTC, strict mode and READ COMMITTED, whatever the server has', async () => {
    const persistence = await open(`${await freshUrl()}?statementTimeout=1500`);
    const [row] = await persistence.withEntityManager((em) =>
      em.execute<object[]>(
        `select @@tx_isolation as isolation, @@time_zone as zone, @@max_statement_time as seconds,
                @@sql_mode like '%STRICT_ALL_TABLES%' as strict, @@collation_connection as collation`,
      ),
    );
    expect(row).toEqual({
      isolation: 'READ-COMMITTED',
      zone: '+00:00',
      seconds: 1.5,
      strict: 1,
      collation: 'utf8mb4_bin',
    });
  });

  // What a collation would take for equal.
  it.each([
    ['case', 'a', 'A'],
    ['accents', 'a', 'á'],
    ['their forms', '\u00e9', 'e\u0301'],
    ['spaces at their ends', 'a', 'a '],
    ['characters outside of the first plane', '\u{1F600}', '\u{1F601}'],
  ])('tells texts apart by %s', async (_what, one, other) => {
    const { acme } = await openChat(await freshUrl());
    const day = '2026-01-02';
    for (const model of [one, other, one]) await acme.usage.add({ provider: 'p', model, day });
    const records = await acme.usage.list({ from: day, to: day });
    const requests = new Map(records.map((record) => [record.model, record.requests]));
    expect(requests).toEqual(
      new Map([
        [one, 2],
        [other, 1],
      ]),
    );
    await acme.users.create({ externalId: one.trim(), username: one });
    const names = await acme.read(({ users }) => users.find({ username: other }));
    expect(names).toEqual([]);
  });

  it('keeps the longest texts, and documents of the greatest size', async () => {
    const { acme, chatId } = await openChat(await freshUrl());
    const content = '退'.repeat(1_000_000);
    await acme.messages.append(chatId, { role: 'user', content });
    const [message] = await acme.messages.history(chatId);
    expect(message?.content === content).toBe(true);
    const document = { externalId: 'd', title: '退'.repeat(500), content: `${'款'.repeat(999)}!`.repeat(5_000) };
    await acme.documents.create(document);
    const stored = await acme.documents.getByExternalId('d');
    expect([stored.title === document.title, stored.content === document.content]).toEqual([true, true]);
  });

  it('keeps a JSON value as it was written, by the order of its keys and the form of its numbers', async () => {
    const url = await freshUrl();
    const { persistence, acme, chatId } = await openChat(url);
    await acme.conversations.update(chatId, { metadata: { z: 1.5, a: [1e21, -0.5, { y: null, b: 'ü' }], 2: 't' } });
    const [row] = await persistence.withEntityManager((em) =>
      em.execute<object[]>('select metadata from conversations where id = ?', [chatId]),
    );
    expect(row).toEqual({ metadata: '{"2":"t","z":1.5,"a":[1e+21,-0.5,{"y":null,"b":"ü"}]}' });
  });

  it('gives a statement no more time than it has, also one that waits for a lock', async () => {
    const url = `${await freshUrl()}?statementTimeout=300`;
    const { acme, chatId } = await openChat(url);
    const other = (await open(url)).tenant('acme');
    await acme.transaction(async () => {
      await acme.messages.append(chatId, { role: 'user', content: 'first' });
      expect(await codeOf(other.messages.append(chatId, { role: 'user', content: 'second' }))).toBe('DATABASE_TIMEOUT');
    });
    expect(await acme.messages.history(chatId)).toHaveLength(1);
  });

  it('waits for a free connection no longer than it waits for a new one', async () => {
    const { persistence, acme } = await openChat(`${await freshUrl()}?poolSize=1&connectTimeout=300`);
    await acme.transaction(async ({ users }) => {
      // Another entity manager knows nothing of the transaction that holds the only connection.
      const call = persistence.withEntityManager((em) => em.execute('select 1'));
      expect(await codeOf(call)).toBe('DATABASE_UNAVAILABLE');
      expect(await users.countRows()).toBe(1);
    });
    expect(await codeOf(persistence.stats())).toBe('resolved');
  });

  it('closes connections that are not used, but for those that shall stay', async () => {
    const url = await freshUrl();
    const { persistence, acme } = await openChat(`${url}?idleTimeout=100&poolIdle=1`);
    await Promise.all(Array.from({ length: 5 }, () => acme.users.list()));
    const count = async () => {
      const sql = 'select count(*) as total from information_schema.processlist where db = database()';
      const [row] = await persistence.withEntityManager((em) => em.execute<{ total: number }[]>(sql));
      return row?.total;
    };
    expect(await count()).toBeGreaterThan(1);
    while ((await count()) !== 1);
  });

  it('fails what reads from a connection that goes, and does not wait for more of it', async () => {
    const url = await freshUrl();
    const { acme, chatId } = await openChat(url);
    // More than fits into the buffers on the way.
    for (let index = 0; index < 100; index++)
      await acme.messages.append(chatId, { role: 'user', content: 'x'.repeat(500_000) });
    const reading = acme.read(async ({ messages }) => {
      for await (const { seq } of messages.stream({ orderBy: { seq: 'asc' } })) {
        if (seq === 1) await serverOf('mariadb').endConnections(url, 100, 0);
      }
    });
    expect(await codeOf(reading)).toBe('DATABASE_UNAVAILABLE');
    expect(await codeOf(acme.users.list())).toBe('resolved');
  });

  it('commits nothing of a unit of work that goes on after a deadlock, and runs it again', async () => {
    const { persistence, acme, chatId, userId } = await openChat(await freshUrl());
    const other = await acme.conversations.start({ userId });
    const sql = 'update conversations set title = ? where id = ?';
    const [left, right] = [createGate(), createGate()];
    let runs = 0;
    const work = async (title: string, own: Gate, others: Gate, ids: readonly string[]): Promise<void> =>
      acme.transaction(async ({ em }) => {
        runs += 1;
        await em.execute(sql, [title, ids[0]]);
        own.open();
        await others.opened;
        // No savepoint: the server takes everything back, and would commit each later statement by itself.
        await em.execute(sql, [title, ids[1]]).catch(() => undefined);
        await em.execute(sql, [`${title} half`, ids[0]]).catch(() => undefined);
      });
    await Promise.all([work('left', left, right, [chatId, other.id]), work('right', right, left, [other.id, chatId])]);
    expect(runs).toBeGreaterThan(2);
    const titles = await persistence.withEntityManager((em) =>
      em.execute<{ title: string }[]>('select title from conversations order by title'),
    );
    const [first = '', second = ''] = titles.map(({ title }) => title);
    expect(second).toBe(`${first} half`);
  });
});
