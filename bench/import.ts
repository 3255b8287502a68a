import { type Arena, arenas } from './arenas.js';
import { importArchives } from '../src/index.js';
import { benchArchives } from './data.js';
import { median } from './median.js';
import { insertIntoPostgreSql } from './raw/insert-postgresql.js';
import { insertIntoSqlite } from './raw/insert-sqlite.js';

/** Inserts the rows of a filled database by hand into an empty one with the same tables, and returns the seconds that this took. */
export type InsertByHand = (filled: string, empty: string) => Promise<number>;

const BY_HAND: Readonly<Record<string, InsertByHand>> = { sqlite: insertIntoSqlite, postgresql: insertIntoPostgreSql };

interface Round {
  readonly colloquySeconds: number;
  readonly rawSeconds: number;
}

export interface Imported {
  readonly messages: number;
  readonly rounds: readonly Round[];
  /** Messages a second. */
  readonly raw: number;
  readonly colloquy: number;
  /** The median of the rounds' ratios. */
  readonly ratio: number;
}

/**
 * Imports archives by Colloquy (files to rows: unpacked, parsed, checked, keyed, stored), then inserts the very rows that came of it,
 * read into memory before, by the driver alone: same tables, same indexes, transactions as large. The raw side neither reads nor
 * checks anything. Rounds alternate, and each side begins with the garbage of the other collected.
 */
export async function measureImport(arena: Arena, archives: readonly string[], rounds: number): Promise<Imported> {
  const done: Round[] = [];
  let messages = 0;
  for (let round = 0; round < rounds; round += 1) {
    const [filled, empty] = [await arena.open(), await arena.open()];
    try {
      await filled.persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
      globalThis.gc?.();
      const begin = performance.now();
      const { total } = await importArchives(filled.persistence.tenant('bench'), archives);
      const colloquySeconds = (performance.now() - begin) / 1_000;
      messages = total.messages;
      const insert = BY_HAND[filled.database.engine] as InsertByHand;
      const rawSeconds = await insert(filled.database.address, empty.database.address);
      done.push({ colloquySeconds, rawSeconds });
    } finally {
      for (const { persistence, remove } of [filled, empty]) {
        await persistence.close();
        await remove();
      }
    }
    process.stderr.write(`${arena.name}/import, round ${String(round + 1)} of ${String(rounds)} done\n`);
  }
  return {
    messages,
    rounds: done,
    raw: Math.round(messages / median(done.map(({ rawSeconds }) => rawSeconds))),
    colloquy: Math.round(messages / median(done.map(({ colloquySeconds }) => colloquySeconds))),
    ratio: Number(median(done.map((round) => round.rawSeconds / round.colloquySeconds)).toFixed(3)),
  };
}

/** The arenas in which an import can be compared with rows that are inserted by hand. */
export async function importArenas(engines: readonly string[]): Promise<Arena[]> {
  return (await arenas(engines)).filter(({ name }) => name in BY_HAND);
}

export async function benchImport(
  files: readonly string[],
  options: { readonly rounds: number; readonly json: boolean; readonly engines: readonly string[] },
): Promise<void> {
  const archives = files.length > 0 ? files : benchArchives();
  const results: Record<string, Imported> = {};
  for (const arena of await importArenas(options.engines)) {
    results[`${arena.name}/import`] = await measureImport(arena, archives, options.rounds);
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    return;
  }
  for (const [name, { messages, colloquy, raw, ratio }] of Object.entries(results)) {
    const [many, ours, theirs] = [messages, colloquy, raw].map((count) => count.toLocaleString('en-US'));
    const rates = `${ours ?? ''} messages/s, the driver alone with the same rows ${theirs ?? ''}`;
    process.stdout.write(`${name}: ${many ?? ''} messages, ${rates}, ratio ${ratio.toFixed(2)}\n`);
  }
  process.stdout.write(`peak memory of all ${(process.resourceUsage().maxRSS / 1_000).toFixed(0)} MB\n`);
}
