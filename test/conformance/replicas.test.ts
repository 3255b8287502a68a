import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runStatement } from '../../src/repositories/statement.js';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { codeOf } from '../support/conformance.js';
import { ENGINES, query } from '../support/engines.js';
import { createGate } from '../support/gate.js';
import { serverOf } from '../support/faulty-servers.js';
import { startOwnMariaDb } from '../support/own-mariadb.js';
import { type OwnServer, startOwnServer } from '../support/own-server.js';
import type { EngineName } from '../support/servers.js';
import { fakeClock } from '../support/sources.js';

const REPLICA = { replica: true } as const;

const contents = async (acme: TenantContext, chatId: string): Promise<string[]> =>
  (await acme.messages.history(chatId)).map(({ content }) => content);

/** What differs between the servers that can have replicas. */
interface ReplicatedServer {
  readonly name: EngineName;
  readonly start: () => Promise<OwnServer>;
  /** Keep a replica from following the primary, and let it follow again. */
  readonly pause: string;
  readonly resume: string;
  /** Selects how far the primary is, as `position`. */
  readonly position: string;
  /** Selects whether the replica has come as far, as `done`. */
  readonly hasReached: string;
  readonly port: string;
}

const POSTGRESQL: ReplicatedServer = {
  name: 'postgresql',
  start: startOwnServer,
  pause: 'select pg_wal_replay_pause()',
  resume: 'select pg_wal_replay_resume()',
  position: 'select pg_current_wal_lsn() as position',
  hasReached: 'select (pg_last_wal_replay_lsn() >= $1::pg_lsn)::int as done',
  port: 'select inet_server_port() as port',
};

const MARIADB: ReplicatedServer = {
  name: 'mariadb',
  start: () => startOwnMariaDb({ 'log-bin': 'binlog', 'server-id': 1 }),
  pause: 'stop slave sql_thread',
  resume: 'start slave sql_thread',
  position: 'select @@gtid_binlog_pos as position',
  hasReached: 'select @@gtid_slave_pos = ? as done',
  port: 'select @@port as port',
};

const asPlain = (url: string): string => url.replace('postgres@', 'plain@');

const names = async (tenant: TenantContext): Promise<string[]> =>
  (await tenant.users.list()).items.map(({ username }) => username);

const SERVERS = [POSTGRESQL, MARIADB].map((server) => ({ ...server, reason: serverOf(server.name).noStart }));
const titled = SERVERS.map((server) => ({
  ...server,
  title: `${server.name} with a replica${server.reason === undefined ? '' : ` (skipped: ${server.reason})`}`,
}));

describe.each(titled)('$title', ({ name: engine, reason, start, pause, resume, position, hasReached, port }) => {
  if (reason !== undefined) {
    it.skip(reason, () => undefined);
    return;
  }
  let primary: OwnServer;
  let copy: OwnServer;
  let databases = 0;

  beforeAll(async () => {
    primary = await start();
    copy = await primary.replicate();
  });
  afterAll(async () => {
    await copy.close();
    await primary.close();
  });

  /** Resolves when the replica has all that the primary has now. */
  async function caughtUp(): Promise<void> {
    const [now] = await query<{ position: string }>(primary.url(), position);
    while ((await query<{ done: number }>(copy.url(), hasReached, [now?.position]))[0]?.done !== 1);
  }

  async function openTenant(
    replicaUrls: (name: string) => string[] = (name) => [copy.url(name)],
    asUser: (url: string) => string = String,
  ) {
    const name = `replicated_${String(++databases)}`;
    const databaseUrl = asUser(primary.url(name));
    await query(primary.url(), `create database ${name}`);
    if (asUser !== String)
      await query(primary.url(), `alter database ${name} owner to ${new URL(databaseUrl).username}`);
    const clock = fakeClock();
    const persistence = await PersistenceManager.open({ databaseUrl, replicaUrls: replicaUrls(name), clock });
    onTestFinished(() => persistence.close());
    await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const acme = persistence.tenant('acme');
    const user = await acme.users.create({ externalId: 'u-1', username: 'ada' });
    const chat = await acme.conversations.start({ userId: user.id, title: 'chat' });
    return { persistence, acme, clock, name, chatId: chat.id };
  }

  /** A tenant with one message more than its replica knows. */
  async function openLagging() {
    const opened = await openTenant();
    const { acme, chatId } = opened;
    await acme.messages.append(chatId, { role: 'user', content: 'old' });
    await caughtUp();
    await query(copy.url(), pause);
    onTestFinished(async () => void (await query(copy.url(), resume)));
    await acme.messages.append(chatId, { role: 'user', content: 'new' });
    return opened;
  }

  it('reads from it where that is asked for, by repositories, services and entities, and nowhere else', async () => {
    const { acme, chatId } = await openLagging();
    const stale = await acme.read(
      async ({ conversations, messages, em }) => ({
        repository: (await messages.readHistory(chatId, { last: 9 })).length,
        service: await contents(acme, chatId),
        entity: (await conversations.get(chatId)).messageCount,
        sql: await runStatement(em, 'select count(*) as total from messages'),
      }),
      REPLICA,
    );
    expect(stale).toEqual({ repository: 1, service: ['old'], entity: 1, sql: [{ total: 1 }] });
    expect(await contents(acme, chatId)).toEqual(['old', 'new']);
    const fresh = await acme.read(async ({ conversations }) => (await conversations.get(chatId)).messageCount);
    expect(fresh).toBe(2);
  });

  it('never reads from it inside a transaction', async () => {
    const { acme, chatId } = await openLagging();
    const seen = await acme.transaction(async () => {
      await acme.messages.append(chatId, { role: 'user', content: 'own' });
      return acme.read(() => contents(acme, chatId), REPLICA);
    });
    expect(seen).toEqual(['old', 'new', 'own']);
  });

  it('writes nothing from what was read there', async () => {
    const { acme, chatId, persistence } = await openLagging();
    const writes: readonly (() => Promise<unknown>)[] = [
      () => acme.messages.append(chatId, { role: 'user', content: 'x' }),
      () => acme.transaction(async ({ conversations }) => conversations.get(chatId)),
      () => persistence.transaction(async () => undefined),
    ];
    for (const write of writes) {
      expect(await codeOf(acme.read(write, REPLICA))).toBe('DATABASE_READ_ONLY');
    }
    const flushed = acme.read(async ({ em, conversations }) => {
      (await conversations.get(chatId)).title = 'changed';
      await em.flush();
    }, REPLICA);
    expect(await codeOf(flushed)).toBe('DATABASE_READ_ONLY');
    const appended = acme.read(({ messages }) => messages.append(chatId, { role: 'user', content: 'x' }), REPLICA);
    expect(await codeOf(appended)).toBe('DATABASE_READ_ONLY');
    expect(await contents(acme, chatId)).toEqual(['old', 'new']);
    expect((await acme.conversations.get(chatId)).title).toBe('chat');
  });

  it('reads from the database itself while it is away, and from it again later', async () => {
    const { acme, chatId, clock } = await openTenant();
    await acme.messages.append(chatId, { role: 'user', content: 'one' });
    await copy.stop('immediate');
    expect(await acme.read(() => contents(acme, chatId), REPLICA)).toEqual(['one']);
    await copy.start();
    await caughtUp();
    await query(copy.url(), pause);
    onTestFinished(async () => void (await query(copy.url(), resume)));
    await acme.messages.append(chatId, { role: 'user', content: 'two' });
    expect(await acme.read(() => contents(acme, chatId), REPLICA)).toEqual(['one', 'two']);
    clock.advance(10_000);
    expect(await acme.read(() => contents(acme, chatId), REPLICA)).toEqual(['one']);
  });

  it('begins a read again that the replica ended in the middle', async () => {
    const { acme, chatId, name } = await openLagging();
    const seen: string[][] = [];
    const read = acme.read(async () => {
      seen.push(await contents(acme, chatId));
      if (seen.length === 1) {
        await serverOf(engine).endConnections(copy.url(name), 1_000, 0);
      }
      seen.push(await contents(acme, chatId));
    }, REPLICA);
    await read;
    expect(seen).toEqual([['old'], ['old', 'new'], ['old', 'new']]);
  });

  it('opens and answers when there never was a replica at that address', async () => {
    const { acme, chatId } = await openTenant(() => [`${engine}://127.0.0.1:1`]);
    expect(await acme.read(() => contents(acme, chatId), REPLICA)).toEqual([]);
    const flushed = acme.read(async ({ em, conversations }) => {
      (await conversations.get(chatId)).title = 'changed';
      await em.flush();
    }, REPLICA);
    expect(await codeOf(flushed)).toBe('DATABASE_READ_ONLY');
  });

  it('fails as the database does when neither answers', async () => {
    const server = await start();
    onTestFinished(() => server.close());
    const persistence = await PersistenceManager.open({
      databaseUrl: server.url(),
      replicaUrls: [`${engine}://127.0.0.1:1`],
    });
    onTestFinished(() => persistence.close());
    await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const acme = persistence.tenant('acme');
    await acme.users.list();
    await server.stop();
    expect(await codeOf(acme.read(({ users }) => users.countRows(), REPLICA))).toBe('DATABASE_UNAVAILABLE');
  });

  // The others have no row-level security.
  if (engine === 'postgresql') {
    it('keeps to one tenant there too, as a user whom row-level security binds', async () => {
      // The superuser's migrations have made the roles.
      await openTenant();
      await query(primary.url(), 'create role plain login in role colloquy_tenant, colloquy_operator');
      const { persistence, acme, name } = await openTenant((database) => [asPlain(copy.url(database))], asPlain);
      await persistence.tenants.ensure({ slug: 'beta', name: 'Beta' });
      const beta = persistence.tenant('beta');
      await beta.users.create({ externalId: 'u-1', username: 'eve' });
      await caughtUp();
      await query(copy.url(), pause);
      onTestFinished(async () => void (await query(copy.url(), resume)));
      await beta.users.create({ externalId: 'u-2', username: 'new' });
      const seen = await acme.read(async () => [await names(acme), await names(beta), await names(acme)], REPLICA);
      expect(seen).toEqual([['ada'], ['eve'], ['ada']]);
      // Without a tenant's role and name the user sees no row.
      expect(await query(asPlain(copy.url(name)), 'select * from users')).toEqual([]);
    });
  }

  it('asks several in turn', async () => {
    const { acme } = await openTenant((database) => [copy.url(database), primary.url(database)]);
    await caughtUp();
    const ports = [];
    for (let index = 0; index < 4; index++) {
      const [row] = await acme.read(({ em }) => runStatement<{ port: number }>(em, port), REPLICA);
      ports.push(row?.port);
    }
    expect(ports).toEqual([copy.port, primary.port, copy.port, primary.port]);
  });
});

describe.each(ENGINES)('$name: a read that asks for a replica where there is none', ({ freshUrl }) => {
  it('reads, and writes nothing either', async () => {
    const persistence = await PersistenceManager.open({ databaseUrl: await freshUrl() });
    onTestFinished(() => persistence.close());
    await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const acme = persistence.tenant('acme');
    await acme.users.create({ externalId: 'u-1', username: 'ada' });
    expect(await acme.read(async () => (await acme.users.list()).items.length, REPLICA)).toBe(1);
    const write = () => acme.users.create({ externalId: 'u-2', username: 'eve' });
    expect(await codeOf(acme.read(write, REPLICA))).toBe('DATABASE_READ_ONLY');
    const gate = createGate();
    const late = acme.read(async () => ({ written: gate.opened.then(write) }), REPLICA);
    const { written } = await late;
    gate.open();
    expect(await codeOf(written)).toBe('resolved');
  });
});
