import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { afterAll } from 'vitest';

/** An engine on which the conformance suite runs. */
export interface TestEngine {
  readonly name: 'sqlite' | 'postgresql';
  /** The URL of an empty database of its own, which goes when the test file ends. */
  readonly freshUrl: () => Promise<string>;
}

const LOCAL_SERVER = 'postgresql://postgres@127.0.0.1:5432/postgres';
const cleanUp: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const work of cleanUp.toReversed()) await work();
});

const sqlite: TestEngine = {
  name: 'sqlite',
  freshUrl: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-conformance-'));
    cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
    return `sqlite:${join(folder, 'colloquy.sqlite')}`;
  },
};

/** Runs one statement on a server, beside the library. */
export async function query<Row extends QueryResultRow>(url: string, text: string, values: unknown[] = []) {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

async function postgresql(): Promise<TestEngine | undefined> {
  const server = process.env['TEST_POSTGRESQL_URL'] ?? LOCAL_SERVER;
  try {
    await query(server, 'select 1');
  } catch (error) {
    const reason = (error as Error).message || (error as { code?: string }).code;
    console.warn(`Skipped: PostgreSQL, for there is no server (${String(reason)}). Name one in TEST_POSTGRESQL_URL.`);
    return undefined;
  }
  return {
    name: 'postgresql',
    freshUrl: async () => {
      const name = `colloquy_test_${randomUUID().replaceAll('-', '')}`;
      await query(server, `create database ${name} template template0`);
      cleanUp.push(async () => {
        await query(server, `drop database if exists ${name} with (force)`);
      });
      const url = new URL(server);
      url.pathname = `/${name}`;
      return url.href;
    },
  };
}

/** `ENGINES=sqlite` or `ENGINES=postgresql` narrows; without it both, as far as there is a server. */
const wanted = process.env['ENGINES']?.split(',') ?? ['sqlite', 'postgresql'];
const server = wanted.includes('postgresql') ? await postgresql() : undefined;

export const ENGINES: readonly TestEngine[] = [
  ...(wanted.includes('sqlite') ? [sqlite] : []),
  ...(server ? [server] : []),
];
export const SERVERS: readonly TestEngine[] = ENGINES.filter(({ name }) => name !== 'sqlite');
