import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { rawRows } from './raw-rows.js';
import { availableEngines, type EngineName, serverUrl } from './servers.js';

/** Runs one statement on a server, beside the library. */
export { rawRows as query } from './raw-rows.js';

/** An engine on which the conformance suite runs. */
export interface TestEngine {
  readonly name: EngineName;
  /** The URL of an empty database of its own, which goes when the test file ends. */
  readonly freshUrl: () => Promise<string>;
}

const cleanUp: (() => Promise<void> | void)[] = [];
/** Dropping a database waits for the disk; those that go together wait once. */
const TOGETHER = 8;
afterAll(async () => {
  while (cleanUp.length > 0) await Promise.all(cleanUp.splice(-TOGETHER).map(async (work) => work()));
});

const sqlite: TestEngine = {
  name: 'sqlite',
  freshUrl: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-conformance-'));
    cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
    return `sqlite:${join(folder, 'colloquy.sqlite')}`;
  },
};

/** A database's URL with one more parameter; those that the server's URL came with stay. */
export function withParameter(url: string, name: string, value: string): string {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed.href;
}

/** Makes and drops databases of a server; the name is the engine's. */
function onServer(
  name: EngineName,
  create: (database: string) => string,
  drop: (database: string) => string,
): TestEngine {
  return {
    name,
    freshUrl: async () => {
      const server = serverUrl(name);
      const database = `colloquy_test_${randomUUID().replaceAll('-', '')}`;
      await rawRows(server, create(database));
      cleanUp.push(async () => {
        await rawRows(server, drop(database));
      });
      const url = new URL(server);
      url.pathname = `/${database}`;
      return url.href;
    },
  };
}

function onPostgresql(creation = ''): TestEngine {
  return onServer(
    'postgresql',
    (database) => `create database ${database} template template0 ${creation}`,
    (database) => `drop database if exists ${database} with (force)`,
  );
}

const postgresql = onPostgresql();
const mariadb = onServer(
  'mariadb',
  (database) => `create database ${database}`,
  (database) => `drop database if exists ${database}`,
);

/** A database of the PostgreSQL server, reached through the pooler. */
const pgbouncer: TestEngine = {
  name: 'pgbouncer',
  freshUrl: async () => {
    const url = new URL(serverUrl('pgbouncer'));
    url.pathname = new URL(await postgresql.freshUrl()).pathname;
    return withParameter(url.href, 'namedStatements', 'false');
  },
};

/** The URL of a test's database without a pooler in between. */
export function directUrl(given: string): string {
  const [url, pooler] = [new URL(given), URL.parse(serverUrl('pgbouncer'))];
  if (url.host !== pooler?.host) return given;
  const direct = new URL(serverUrl('postgresql'));
  direct.pathname = url.pathname;
  return direct.href;
}

const available = await availableEngines();

export const ENGINES: readonly TestEngine[] = [sqlite, postgresql, mariadb, pgbouncer].filter(({ name }) =>
  available.includes(name),
);
export const SERVERS: readonly TestEngine[] = ENGINES.filter(({ name }) => name !== 'sqlite');
/** PostgreSQL in the locale in which it takes nothing beyond ASCII for a letter; none where PostgreSQL cannot be had. */
export const POSTGRESQL_IN_C: readonly TestEngine[] = [onPostgresql(`encoding 'UTF8' locale 'C'`)].filter(({ name }) =>
  available.includes(name),
);
