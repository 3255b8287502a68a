import { Client } from 'pg';

export type EngineName = 'sqlite' | 'postgresql';

interface Server {
  /** Of a user who may make databases. */
  readonly url: string;
  /** Names another server. */
  readonly variable: string;
  readonly connect: (url: string) => Promise<void>;
}

/** One line an engine whose databases live on a server; SQLite needs none. */
const SERVERS: Readonly<Partial<Record<EngineName, Server>>> = {
  postgresql: {
    url: process.env['TEST_POSTGRESQL_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres',
    variable: 'TEST_POSTGRESQL_URL',
    async connect(url) {
      const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
      await client.connect();
      await client.end();
    },
  },
};

/** `ENGINES=sqlite,postgresql` narrows; every engine without it. */
const WANTED: readonly EngineName[] = (process.env['ENGINES']?.split(',') as EngineName[] | undefined) ?? [
  'sqlite',
  'postgresql',
];

export function serverUrl(engine: EngineName): string {
  return SERVERS[engine]?.url ?? '';
}

let available: Promise<readonly EngineName[]> | undefined;

/** The wanted engines that can be had here; of any other one it says why not. */
export async function availableEngines(): Promise<readonly EngineName[]> {
  return (available ??= findEngines());
}

async function findEngines(): Promise<readonly EngineName[]> {
  const found: EngineName[] = [];
  for (const name of WANTED) {
    const server = SERVERS[name];
    try {
      await server?.connect(server.url);
      found.push(name);
    } catch (error) {
      const reason = (error as Error).message || (error as { code?: string }).code;
      console.warn(
        `Skipped: ${name}, for there is no server (${String(reason)}). Name one in ${server?.variable ?? ''}.`,
      );
    }
  }
  return found;
}
