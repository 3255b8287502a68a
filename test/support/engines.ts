import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { afterAll } from 'vitest';
import { availableEngines, type EngineName, serverUrl } from './servers.js';

/** An engine on which the conformance suite runs. */
export interface TestEngine {
  readonly name: EngineName;
  /** The URL of an empty database of its own, which goes when the test file ends. */
  readonly freshUrl: () => Promise<string>;
}

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

/** A database's URL with one more parameter; those that the server's URL came with stay. */
export function withParameter(url: string, name: string, value: string): string {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed.href;
}

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

const postgresql: TestEngine = {
  name: 'postgresql',
  freshUrl: async () => {
    const server = serverUrl('postgresql');
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

const available = await availableEngines();

export const ENGINES: readonly TestEngine[] = [sqlite, postgresql].filter(({ name }) => available.includes(name));
export const SERVERS: readonly TestEngine[] = ENGINES.filter(({ name }) => name !== 'sqlite');
