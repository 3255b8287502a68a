import { Migration } from '@mikro-orm/migrations';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createMariaDbEngine } from '../../src/database/mariadb.js';
import { MigrationInterruptedError } from '../../src/errors.js';
import { mariaDbMigrations } from '../../src/migrations/mariadb/index.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { codeOf, open, openChat } from '../support/conformance.js';
import { openOrm } from '../support/open-manager.js';
import { NO_OWN_MARIADB, startOwnMariaDb } from '../support/own-mariadb.js';
import type { OwnServer } from '../support/own-server.js';
import { rawRows } from '../support/raw-rows.js';
import { rejectionOf } from '../support/rejection.js';

const PACKET = 1_048_576;
const NAMES = mariaDbMigrations.map(({ name }) => name);

class HalfWay extends Migration {
  override up(): void {
    this.addSql('create table if not exists half (id integer primary key)');
    this.addSql('insert into half_input values (1)');
  }
}

const withHalfWay = (url: string) => ({
  ...createMariaDbEngine(url),
  migrations: [...mariaDbMigrations, { name: '900-half-way', class: HalfWay }],
});

/** A connection beside the library, which ends with the test. */
async function connect(url: string): Promise<Connection> {
  const connection = await createConnection({ uri: url });
  onTestFinished(() => connection.end());
  return connection;
}

/** Inserts messages after the first one in one go, as an import does. */
async function appendRows(
  acme: TenantContext,
  chatId: string,
  count: number,
  contentOf: (index: number) => string,
): Promise<void> {
  await acme.transaction(async ({ messages }) => {
    const [pattern] = await messages.readHistory(chatId, { last: 1 });
    if (!pattern) throw new Error('there is no message');
    const rows = Array.from({ length: count }, (_unused, index) => ({
      ...pattern,
      id: `01890000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      seq: index + 2,
      content: contentOf(index),
    }));
    await messages.insertRows(rows);
  });
}

describe.skipIf(NO_OWN_MARIADB)(
  `A MariaDB server${NO_OWN_MARIADB === undefined ? '' : ` (skipped: ${NO_OWN_MARIADB})`}`,
  () => {
    let server: OwnServer;
    let databases = 0;

    beforeAll(async () => {
      server = await startOwnMariaDb({
        'general-log': 'ON',
        'log-output': 'TABLE',
        'max-allowed-packet': PACKET,
        'max-connections': 20,
        'max-prepared-stmt-count': 1_000,
      });
    });
    afterAll(() => server.close());

    const freshUrl = async (): Promise<string> => {
      const name = `own_${String(++databases)}`;
      await rawRows(server.url(), `create database ${name}`);
      return server.url(name);
    };

    it('never sees a value in the text of a statement', async () => {
      const { acme, chatId, userId } = await openChat(await freshUrl());
      await acme.messages.append(chatId, { role: 'user', content: 'planted', metadata: { key: 'planted' } });
      await acme.users.update(userId, { nickname: 'planted', metadata: { list: ['planted'] } });
      await acme.users.getByExternalId('planted').catch(() => undefined);
      await appendRows(acme, chatId, 150, () => 'planted');
      await acme.transaction(async ({ conversations, users }) => {
        await conversations.find({ title: { $like: 'planted%' }, user: users.ref(userId) });
        for await (const conversation of conversations.stream({ where: { title: 'planted' } }))
          expect(conversation).toBe(0);
      });
      // An execution is logged with its values, which the server itself puts there.
      const sql = `select command_type as command, count(*) as total, sum(argument like ?) as planted
                   from mysql.general_log where argument not like '%general_log%' group by command_type`;
      const log = await rawRows<{ command: string; total: number; planted: string }>(server.url(), sql, ['%planted%']);
      const counts = Object.fromEntries(log.map(({ command, planted }) => [command, Number(planted)]));
      expect(counts).toMatchObject({ Prepare: 0, Query: 0 });
      expect(counts['Execute']).toBeGreaterThan(5);
    });

    it('is not sent a statement that is larger than it takes, and the connection stays', async () => {
      const { acme, chatId } = await openChat(`${await freshUrl()}?poolSize=1`);
      const content = '退'.repeat(PACKET / 3);
      const error = await acme.messages.append(chatId, { role: 'user', content }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'DATABASE_LIMIT', setting: 'max_allowed_packet', limit: PACKET });
      // All but the message's other columns.
      const fitting = '退'.repeat((PACKET - 1_000) / 3);
      await acme.messages.append(chatId, { role: 'user', content: fitting });
      expect(await acme.messages.history(chatId)).toMatchObject([{ seq: 1, content: fitting }]);
    });

    it('gets many rows in statements that it takes', async () => {
      const { acme, chatId } = await openChat(await freshUrl());
      await acme.messages.append(chatId, { role: 'user', content: 'pattern' });
      await appendRows(acme, chatId, 300, (index) => `${String(index)}${'退'.repeat(50_000)}`);
      const history = await acme.messages.history(chatId, { last: 1_000 });
      expect(history.map(({ seq }) => seq)).toEqual(Array.from({ length: 301 }, (_unused, index) => index + 1));
    });

    it.each([
      ['a wrong password', (url: URL) => Object.assign(url, { password: 'wrong' })],
      ['an unknown user', (url: URL) => Object.assign(url, { username: 'nobody' })],
      ['an unknown database', (url: URL) => Object.assign(url, { pathname: '/nowhere' })],
    ])('that lets nobody in with %s is unavailable', async (_what, change) => {
      expect(await codeOf(open(change(new URL(server.url())).href))).toBe('DATABASE_UNAVAILABLE');
    });

    it('that has no connection left is unavailable, and is not once it has', async () => {
      const { acme } = await openChat(await freshUrl());
      const admin = await connect(server.url());
      await admin.query('set global max_connections = 10');
      const codes = await Promise.all(
        Array.from({ length: 25 }, () => codeOf(acme.transaction(({ users }) => users.countRows()))),
      );
      await admin.query('set global max_connections = 20');
      expect([...new Set(codes)].toSorted()).toEqual(['DATABASE_UNAVAILABLE', 'resolved']);
      const later = await Promise.all(Array.from({ length: 15 }, () => codeOf(acme.users.list())));
      expect(new Set(later)).toEqual(new Set(['resolved']));
    });

    it('that writes nothing says so', async () => {
      const url = await freshUrl();
      const { chatId } = await openChat(url);
      const database = new URL(url).pathname.slice(1);
      await rawRows(url, 'create user app@localhost');
      await rawRows(url, `grant select, insert, update, delete on ${database}.* to app@localhost`);
      await rawRows(url, 'set global read_only = on');
      const acme = (await open(Object.assign(new URL(url), { username: 'app' }).href)).tenant('acme');
      const code = await codeOf(acme.messages.append(chatId, { role: 'user', content: 'x' }));
      await rawRows(url, 'set global read_only = off');
      expect(code).toBe('DATABASE_READ_ONLY');
    // Who may see no files is told what the server has counted.
    expect((await acme.stats()).databaseBytes).toBeGreaterThan(0);
      expect(await codeOf(acme.messages.append(chatId, { role: 'user', content: 'x' }))).toBe('resolved');
    });

    it('leaves the outcome of a commit open in the middle of which it ends the connection', async () => {
      const url = await freshUrl();
      const { acme, chatId } = await openChat(url);
      const admin = await connect(url);
      const code = codeOf(
        acme.transaction(async () => {
          await acme.messages.append(chatId, { role: 'user', content: 'x' });
          await admin.query('flush tables with read lock');
        }),
      );
      let waiting: RowDataPacket[] = [];
      while (waiting.length === 0) {
        [waiting] = await admin.query<RowDataPacket[]>(
          `select id from information_schema.processlist where info = 'commit'`,
        );
      }
      await admin.query(`kill ${String(waiting[0]?.['id'])}`);
      expect(await code).toBe('OUTCOME_UNKNOWN');
      await admin.query('unlock tables');
      expect((await acme.messages.history(chatId)).length).toBeLessThan(2);
    });

    it('that has no place for another prepared statement says what is to be raised', async () => {
      const { acme } = await openChat(await freshUrl());
      await rawRows(server.url(), 'set global max_prepared_stmt_count = 0');
      const error = await acme.usage.list({ from: '2026-01-01', to: '2026-01-02' }).catch((reason: unknown) => reason);
      await rawRows(server.url(), 'set global max_prepared_stmt_count = 1000');
      expect(error).toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        reason: expect.stringContaining('max_prepared_stmt_count'),
      });
      expect(await codeOf(acme.usage.list({ from: '2026-01-01', to: '2026-01-02' }))).toBe('resolved');
    });

    it('keeps what a failed migration has done: the error says what to do, and that does it', async () => {
      const url = await freshUrl();
      const { migrator } = await openOrm(withHalfWay(url));
      const error = await rejectionOf(migrator.up(), MigrationInterruptedError);
      expect(error).toMatchObject({ migration: '900-half-way', direction: 'up' });
      expect(error.message).toMatch(/half_input.*run "colloquy migrate up" again/);
      const applied = async () =>
        (await rawRows(url, 'select name from schema_migrations order by name')).map(({ name }) => name);
      expect(await applied()).toEqual(NAMES);
      expect(await rawRows(url, 'select * from half')).toEqual([]);
      await rawRows(url, 'create table half_input (id integer)');
      expect((await migrator.up()).map(({ name }) => name)).toEqual(['900-half-way']);
      expect(await applied()).toEqual([...NAMES, '900-half-way']);
    });

    // Whatever the statement was in whose middle it died.
    it.each([1, 2, 5, NAMES.length])(
      'goes on where a process died that had made %i tables and not recorded the last',
      async (count) => {
        const url = await freshUrl();
        const { migrator } = await openOrm(createMariaDbEngine(url));
        await migrator.up({ to: NAMES[count - 1] ?? '' });
        await rawRows(url, `delete from schema_migrations where name = '${NAMES[count - 1] ?? ''}'`);
        const persistence = await open(url);
        expect(await codeOf(persistence.tenants.ensure({ slug: 'acme', name: 'Acme' }))).toBe('resolved');
        expect(await migrator.status()).toMatchObject(NAMES.map((name) => ({ name, state: 'applied' })));
      },
    );

    it('whose tables somebody else made is left alone', async () => {
      const url = await freshUrl();
      await rawRows(url, 'create table messages (id integer primary key)');
      expect(await codeOf(open(url))).toBe('SCHEMA_MISMATCH');
      expect(await rawRows(url, 'show tables')).toHaveLength(1);
    });
  },
);
