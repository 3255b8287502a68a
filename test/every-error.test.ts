import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Tenant } from '../src/entities/index.js';
import { ColloquyError, type ErrorCode } from '../src/errors.js';
import { importArchives } from '../src/interchange/import-archives.js';
import { chinese } from '../src/messages/chinese.js';
import { english } from '../src/messages/english.js';
import { PROBLEMS } from '../src/messages/problems.js';
import { PersistenceManager } from '../src/services/persistence-manager.js';
import type { PersistenceManager as Manager } from '../src/services/persistence-manager.js';
import { CHECKOUT } from './support/child.js';
import { ENGINES } from './support/engines.js';
import { furnish, type Furnished } from './support/furnish.js';
import { openManager } from './support/open-manager.js';
import { openRaw } from './support/raw-database.js';
import { temporaryFile, temporaryFolder, temporaryUrl } from './support/temporary-folder.js';

interface World {
  readonly persistence: Manager;
  readonly acme: Furnished;
  readonly url: string;
}

/** What makes the library fail so, for real; a file of tests where that takes a server that is stopped, broken or reconfigured. */
type Provocation = ((world: World) => Promise<unknown>) | { readonly inFile: string };

const NOTHING = '019b796d-d600-7a00-821f-000000000000';
const postgresql = ENGINES.find(({ name }) => name === 'postgresql');

/** On a database of PostgreSQL with these parameters. */
function onPostgresql(parameters: string, sql: string): Provocation {
  return async () => {
    if (!postgresql) throw new Error('There is no PostgreSQL here.');
    const url = new URL(await postgresql.freshUrl());
    url.search = parameters;
    const { persistence } = await openManager({ url: url.href });
    await persistence.withEntityManager((em) => em.execute(sql));
  };
}

/** No code is left out: the type asks for every one. */
const PROVOCATIONS: Readonly<Record<ErrorCode, Provocation>> = {
  VALIDATION_FAILED: ({ acme }) => acme.tenant.users.create({ externalId: '', username: '' }),
  NOT_FOUND: ({ acme }) => acme.tenant.users.get(NOTHING),
  ALREADY_EXISTS: ({ acme }) => acme.tenant.users.create({ externalId: 'acme-user', username: 'twin' }),
  REFERENCE_NOT_FOUND: ({ acme }) => acme.tenant.conversations.start({ userId: NOTHING }),
  TENANT_MISMATCH: ({ acme }) =>
    acme.tenant.transaction(async ({ em }) => {
      em.create(Tenant, { slug: 'other', name: 'Other' } as never);
    }),
  STATEMENT_REFUSED: ({ acme }) => acme.tenant.transaction(({ em }) => em.execute('select 1')),
  TENANT_SUSPENDED: async ({ persistence, acme }) => {
    await persistence.tenants.suspend('acme');
    await acme.tenant.users.create({ externalId: 'new', username: 'new' });
  },
  TENANT_DELETED: async ({ persistence, acme }) => {
    await persistence.tenants.delete('acme');
    await acme.tenant.users.list();
  },
  QUOTA_EXCEEDED: async ({ persistence }) => {
    await persistence.tenants.ensure({ slug: 'small', name: 'Small', quota: { users: 0 } });
    await persistence.tenant('small').users.create({ externalId: 'one', username: 'too many' });
  },
  INVALID_STATE: async ({ acme }) => {
    await acme.tenant.voiceSessions.complete(acme.voiceSessionId);
    await acme.tenant.voiceSessions.complete(acme.voiceSessionId);
  },
  VERSION_CONFLICT: ({ acme }) => acme.tenant.users.update(acme.userId, { nickname: 'x' }, { ifVersion: 9 }),
  IDEMPOTENCY_CONFLICT: ({ acme }) =>
    acme.tenant.messages.append(acme.conversationId, { role: 'user', content: 'other' }, { idempotencyKey: 'req-1' }),
  TRANSACTION_CONFLICT: onPostgresql(
    '',
    `do $$ begin raise exception 'x' using errcode = 'serialization_failure'; end $$`,
  ),
  OUTCOME_UNKNOWN: { inFile: 'conformance/lost-replies.test.ts' },
  CONFIGURATION_INVALID: () => PersistenceManager.open({ databaseUrl: 'nothing://' }),
  DATABASE_UNAVAILABLE: () => openManager({ url: `sqlite:${join(temporaryFolder(), 'missing', 'x.sqlite')}` }),
  CACHE_UNAVAILABLE: async ({ url }) => {
    await using persistence = await PersistenceManager.open({ databaseUrl: url, redisUrl: 'redis://127.0.0.1:1' });
    persistence.cache.assertShared();
  },
  DATABASE_LOCKED: async ({ url }) => {
    const { persistence } = await openManager({ url: `${url}?busyTimeout=20`, seed: 2 });
    openRaw(url).exec('begin immediate');
    await persistence.tenant('acme').users.create({ externalId: 'new', username: 'new' });
  },
  DATABASE_TIMEOUT: onPostgresql('statementTimeout=50', 'select pg_sleep(20)'),
  DATABASE_FULL: async ({ persistence, acme }) => {
    const connection = persistence.orm.em.getConnection();
    const [pages] = await connection.execute<{ page_count: number }[]>('pragma page_count');
    await connection.execute(`pragma max_page_count = ${String(pages?.page_count)}`);
    await acme.tenant.documents.create({ externalId: 'big', title: 'big', content: 'big '.repeat(50_000) });
  },
  DATABASE_LIMIT: { inFile: 'conformance/mariadb-server.test.ts' },
  DATABASE_READ_ONLY: async ({ persistence, acme }) => {
    await persistence.orm.em.getConnection().execute('pragma query_only = on');
    await acme.tenant.users.create({ externalId: 'new', username: 'new' });
  },
  DATABASE_CORRUPT: () => {
    const path = temporaryFile();
    writeFileSync(path, 'a letter to grandmother, and no database\n'.repeat(100));
    return openManager({ url: `sqlite:${path}` });
  },
  DATABASE_FAILED: ({ persistence }) => persistence.withEntityManager((em) => em.execute('select * from nowhere')),
  SCHEMA_MISMATCH: () => {
    const url = temporaryUrl();
    openRaw(url).exec('create table messages (id integer primary key)');
    return openManager({ url });
  },
  MIGRATION_INTERRUPTED: { inFile: 'conformance/mariadb-server.test.ts' },
  ARCHIVE_UNREADABLE: ({ acme }) => {
    const folder = join(temporaryFolder(), 'archive.jsonl');
    mkdirSync(folder);
    return importArchives(acme.tenant, [folder]);
  },
  ARCHIVE_REJECTED: ({ acme }) => {
    const file = temporaryFile('archive.jsonl');
    writeFileSync(file, '{"source":"s","id":"1","modality":"text","lang":"no language","messages":[]}\n');
    return importArchives(acme.tenant, [file], { strict: true });
  },
  COPY_REFUSED: async ({ persistence }) => {
    const { persistence: target } = await openManager({ url: temporaryUrl(), seed: 2 });
    await target.tenants.ensure({ slug: 'acme', name: 'Another' });
    await persistence.copyTo(target);
  },
  UNIT_OF_WORK_ENDED: async ({ acme }) => {
    let late: Promise<unknown> = Promise.resolve();
    await acme.tenant.transaction(async () => {
      late = acme.tenant.users.create({ externalId: 'late', username: 'late' });
      late.catch(() => undefined);
    });
    await late;
  },
  PERSISTENCE_CLOSED: async ({ persistence, acme }) => {
    await persistence.close();
    await acme.tenant.users.list();
  },
};

const ON_POSTGRESQL: ReadonlySet<ErrorCode> = new Set(['TRANSACTION_CONFLICT', 'DATABASE_TIMEOUT']);
const CODES = Object.keys(PROVOCATIONS) as ErrorCode[];
const isProvokedHere = (code: ErrorCode): boolean => typeof PROVOCATIONS[code] === 'function';

describe('an error of each code is thrown by what it is for', () => {
  it.for(CODES.filter(isProvokedHere))('%s', async (code, { skip }) => {
    skip(!postgresql && ON_POSTGRESQL.has(code), 'there is no PostgreSQL');
    const provoke = PROVOCATIONS[code] as Exclude<Provocation, object & { inFile: string }>;
    const url = temporaryUrl();
    const { persistence } = await openManager({ url });
    const acme = await furnish(persistence, 'acme');
    const error: unknown = await provoke({ persistence, acme, url }).then(
      () => 'nothing was thrown',
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ColloquyError);
    const { status } = (error as ColloquyError).toJSON();
    expect([(error as ColloquyError).code, status]).toEqual([code, PROBLEMS[code][0]]);
  });

  it.each(CODES.filter((code) => !isProvokedHere(code)))('%s, in a file of its own', (code) => {
    const { inFile } = PROVOCATIONS[code] as { readonly inFile: string };
    const className = `${code.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase())}Error`;
    expect(readFileSync(join(CHECKOUT, 'test', inFile), 'utf8')).toMatch(new RegExp(`\\b(?:${code}|${className})\\b`));
  });
});

it("the README's table has every code, and none that does not exist", () => {
  const [, section = ''] = /## Errors\n(.*?)\n## /s.exec(readFileSync(join(CHECKOUT, 'README.md'), 'utf8')) ?? [];
  const cells = section.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.split('|')[1] ?? ''] : []));
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => code));
  expect(named.toSorted()).toEqual([...CODES].toSorted());
});

it('every code has a message in both languages', () => {
  for (const { errors } of [english, chinese]) expect(Object.keys(errors).toSorted()).toEqual([...CODES].toSorted());
});
