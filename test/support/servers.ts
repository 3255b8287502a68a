import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { OwnServer } from './own-server.js';

const ENGINE_NAMES = ['sqlite', 'postgresql', 'mariadb', 'pgbouncer'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

interface Server {
  /** Names the server, by the URL of a user who may make databases. */
  readonly variable: string;
  readonly connect: (url: string) => Promise<void>;
  /** What is used without the variable; nothing where only somebody else can set such a server up. */
  readonly otherwise?: {
    readonly local: string;
    /** Where there is none at the local place: why none can be started; undefined where one can. */
    readonly whyNotStarted: () => Promise<string | undefined>;
    readonly start: () => Promise<OwnServer>;
  };
}

async function connectPostgreSql(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  await client.connect();
  await client.end();
}

/** One line an engine whose databases live on a server; SQLite needs none. */
const SERVERS: Readonly<Partial<Record<EngineName, Server>>> = {
  postgresql: {
    variable: 'TEST_POSTGRESQL_URL',
    connect: connectPostgreSql,
    otherwise: {
      local: 'postgresql://postgres@127.0.0.1:5432/postgres',
      // Looking for the programs takes time, and most tests need none.
      whyNotStarted: async () => (await import('./own-server.js')).NO_OWN_SERVER,
      start: async () => (await import('./own-server.js')).startOwnServer({ max_connections: 200 }),
    },
  },
  mariadb: {
    variable: 'TEST_MARIADB_URL',
    async connect(url) {
      const connection = await createConnection({ uri: url, connectTimeout: 2_000 });
      await connection.end();
    },
    otherwise: {
      local: 'mariadb://root@127.0.0.1:3306/mysql',
      whyNotStarted: async () => (await import('./own-mariadb.js')).NO_OWN_MARIADB,
      start: async () => (await import('./own-mariadb.js')).startOwnMariaDb({ max_connections: 200 }),
    },
  },
  // The PostgreSQL server, behind PgBouncer in transaction mode.
  pgbouncer: { variable: 'PGBOUNCER_URL', connect: connectPostgreSql },
};

/** `ENGINES=sqlite,postgresql` narrows; every engine without it. */
const WANTED = (process.env['ENGINES']?.split(',') as EngineName[] | undefined) ?? ENGINE_NAMES;

export function serverUrl(engine: EngineName): string {
  const server = SERVERS[engine];
  return (server && process.env[server.variable]) || (server?.otherwise?.local ?? '');
}

interface Engines {
  readonly available: readonly EngineName[];
  /** Those of them whose server is not there yet. */
  readonly toStart: readonly EngineName[];
}

let engines: Promise<Engines> | undefined;

/** The wanted engines that can be had here; of any other one it says why not. */
export async function availableEngines(): Promise<readonly EngineName[]> {
  return (await (engines ??= findEngines())).available;
}

/** Starts the servers that are wanted and not there, names them to the tests, and returns what stops them. */
export async function startServers(): Promise<() => Promise<void>> {
  const started: OwnServer[] = [];
  for (const name of (await (engines ??= findEngines())).toStart) {
    const { variable, otherwise } = SERVERS[name] ?? {};
    if (variable === undefined || otherwise === undefined) continue;
    const own = await otherwise.start();
    started.push(own);
    process.env[variable] = own.url();
    console.warn(`Started: ${name} at ${own.url()}, for there was no server at ${otherwise.local}.`);
  }
  return async () => {
    for (const own of started) await own.close();
  };
}

async function findEngines(): Promise<Engines> {
  const available: EngineName[] = [];
  const toStart: EngineName[] = [];
  for (const name of WANTED) {
    const absent = await whyAbsent(name);
    const notStarted = absent === undefined ? undefined : await whyNotStarted(name);
    if (notStarted !== undefined) {
      const advice = `Name one in ${SERVERS[name]?.variable ?? ''}.`;
      console.warn(`Skipped: ${name}, for there is no server (${absent ?? ''}), and ${notStarted}. ${advice}`);
      continue;
    }
    available.push(name);
    if (absent !== undefined) toStart.push(name);
  }
  return { available, toStart };
}

async function whyAbsent(name: EngineName): Promise<string | undefined> {
  const url = serverUrl(name);
  if (url === '') return SERVERS[name] && 'no address is known';
  try {
    await SERVERS[name]?.connect(url);
    return undefined;
  } catch (error) {
    return String((error as Error).message || (error as { code?: string }).code);
  }
}

async function whyNotStarted(name: EngineName): Promise<string | undefined> {
  const { variable = '', otherwise } = SERVERS[name] ?? {};
  if (!otherwise) return 'the tests start none';
  return process.env[variable] ? `${variable} says where one is` : otherwise.whyNotStarted();
}
