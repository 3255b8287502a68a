import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { OwnServer } from './own-server.js';

const ENGINE_NAMES = ['sqlite', 'postgresql', 'mariadb'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

interface Server {
  /** Of a user who may make databases; where there is none at this place, one is started. */
  readonly local: string;
  /** Names another server. */
  readonly variable: string;
  readonly connect: (url: string) => Promise<void>;
  /** Why none can be started here; undefined where one can. */
  readonly whyNotStarted: () => Promise<string | undefined>;
  readonly start: () => Promise<OwnServer>;
}

/** One line an engine whose databases live on a server; SQLite needs none. */
const SERVERS: Readonly<Partial<Record<EngineName, Server>>> = {
  postgresql: {
    local: 'postgresql://postgres@127.0.0.1:5432/postgres',
    variable: 'TEST_POSTGRESQL_URL',
    async connect(url) {
      const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
      await client.connect();
      await client.end();
    },
    // Looking for the programs takes time, and most tests need none.
    whyNotStarted: async () => (await import('./own-server.js')).NO_OWN_SERVER,
    start: async () => (await import('./own-server.js')).startOwnServer({ max_connections: 200 }),
  },
  mariadb: {
    local: 'mariadb://root@127.0.0.1:3306/mysql',
    variable: 'TEST_MARIADB_URL',
    async connect(url) {
      const connection = await createConnection({ uri: url, connectTimeout: 2_000 });
      await connection.end();
    },
    whyNotStarted: async () => (await import('./own-mariadb.js')).NO_OWN_MARIADB,
    start: async () => (await import('./own-mariadb.js')).startOwnMariaDb({ max_connections: 200 }),
  },
};

/** `ENGINES=sqlite,postgresql` narrows; every engine without it. */
const WANTED = (process.env['ENGINES']?.split(',') as EngineName[] | undefined) ?? ENGINE_NAMES;

export function serverUrl(engine: EngineName): string {
  const server = SERVERS[engine];
  return server ? (process.env[server.variable] ?? server.local) : '';
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
    const server = SERVERS[name];
    const own = await server?.start();
    if (!server || !own) continue;
    started.push(own);
    process.env[server.variable] = own.url();
    console.warn(`Started: ${name} at ${own.url()}, for there was no server at ${server.local}.`);
  }
  return async () => {
    for (const own of started) await own.close();
  };
}

async function findEngines(): Promise<Engines> {
  const available: EngineName[] = [];
  const toStart: EngineName[] = [];
  for (const name of WANTED) {
    const server = SERVERS[name];
    try {
      await server?.connect(serverUrl(name));
      available.push(name);
    } catch (error) {
      const reason = String((error as Error).message || (error as { code?: string }).code);
      const variable = server?.variable ?? '';
      const isNamed = process.env[variable] !== undefined;
      const whyNot = isNamed ? `${variable} names another` : await server?.whyNotStarted();
      if (whyNot === undefined) {
        available.push(name);
        toStart.push(name);
      } else {
        const advice = `Name one in ${variable}.`;
        console.warn(`Skipped: ${name}, for there is no server (${reason}), and none is started: ${whyNot}. ${advice}`);
      }
    }
  }
  return { available, toStart };
}
