import { existsSync } from 'node:fs';
import type { BenchDatabase, OpenSide } from '../side.js';

type Engine = BenchDatabase['engine'];

/**
 * The library's side, loaded when it is wanted: by a name that is computed, so that all else compiles where the packages of
 * `bench/package.json` are not installed.
 */
function peer(file: string): () => Promise<OpenSide> {
  return async () => ((await import(`./${file}.js`)) as { open: OpenSide }).open;
}

/**
 * Other libraries that walk the hot paths, and on which engines. On a server each has as many connections as there are callers, so no
 * more than one should be open at a time.
 */
export const PEERS: Readonly<Record<string, Partial<Record<Engine, () => Promise<OpenSide>>>>> = {
  drizzle: { sqlite: peer('drizzle-sqlite'), postgresql: peer('drizzle-postgresql') },
  kysely: { sqlite: peer('kysely'), postgresql: peer('kysely') },
  mastra: { sqlite: peer('mastra'), postgresql: peer('mastra') },
  prisma: { sqlite: peer('prisma'), postgresql: peer('prisma') },
  typeorm: { sqlite: peer('typeorm'), postgresql: peer('typeorm') },
};

/** Why there are no peers, and what to do about it; nothing where they are installed. */
export function peersMissing(): string | undefined {
  // The last that npm writes.
  if (existsSync(new URL('../node_modules/.package-lock.json', import.meta.url))) return undefined;
  return 'The other libraries are not installed: run "npm ci --prefix bench".';
}
