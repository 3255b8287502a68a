import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { importArchives, PersistenceManager } from '../src/index.js';
import { benchArchives } from './data.js';
import { median } from './median.js';

const TABLES = ['tenants', 'users', 'conversations', 'messages', 'voice_sessions', 'documents'] as const;
/** As many rows as an import puts into one transaction. */
const BATCH_ROWS = 1_000;

interface Round {
  readonly colloquySeconds: number;
  readonly rawSeconds: number;
}

/**
 * Imports archives by Colloquy (files to rows: unpacked, parsed, checked, keyed, stored), then inserts the very rows that came of it,
 * read into memory before, by hand-written better-sqlite3: same schema, same indexes, same transactions, statements prepared once.
 * The raw side neither reads nor checks anything. Rounds alternate, and each side begins with the garbage of the
 * other collected.
 */
export async function benchImport(files: readonly string[], options: { rounds: number; json: boolean }): Promise<void> {
  const archives = files.length > 0 ? files : benchArchives();
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'));
  try {
    const rounds: Round[] = [];
    let messages = 0;
    for (let round = 0; round < options.rounds; round += 1) {
      const path = join(folder, `colloquy-${String(round)}.sqlite`);
      const imported = await importByColloquy(path, archives);
      messages = imported.messages;
      const rawSeconds = insertByHand(path, join(folder, `raw-${String(round)}.sqlite`));
      rounds.push({ colloquySeconds: imported.seconds, rawSeconds });
      process.stderr.write(`round ${String(round + 1)} of ${String(options.rounds)} done\n`);
    }
    report(rounds, messages, options.json);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function importByColloquy(path: string, archives: readonly string[]) {
  await using persistence = await PersistenceManager.open({ databaseUrl: `sqlite:${path}` });
  await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
  globalThis.gc?.();
  const begin = performance.now();
  const { total } = await importArchives(persistence.tenant('bench'), archives);
  return { seconds: (performance.now() - begin) / 1000, messages: total.messages };
}

function insertByHand(source: string, path: string): number {
  const from = new Database(source, { readonly: true });
  const to = new Database(path);
  to.pragma('journal_mode = wal');
  to.pragma('synchronous = normal');
  to.pragma('foreign_keys = on');
  // Those that SQLite makes for the index of search are made with it.
  const own = `name not in (select name from pragma_table_list where type = 'shadow')`;
  const schema = from.prepare(`select sql from sqlite_master where sql is not null and ${own} order by rowid`).pluck();
  for (const statement of schema.all() as string[]) to.exec(statement);
  const tables = TABLES.flatMap((table) => {
    const rows = from.prepare(`select * from ${table} order by rowid`).raw().all() as unknown[][];
    const [first] = rows;
    if (!first) return [];
    return { insert: to.prepare(`insert into ${table} values (${first.map(() => '?').join(', ')})`), rows };
  });

  globalThis.gc?.();
  const begin = performance.now();
  for (const { insert, rows } of tables) {
    for (let first = 0; first < rows.length; first += BATCH_ROWS) {
      to.exec('begin immediate');
      for (const row of rows.slice(first, first + BATCH_ROWS)) insert.run(row);
      to.exec('commit');
    }
  }
  const seconds = (performance.now() - begin) / 1000;
  from.close();
  to.close();
  return seconds;
}

function report(rounds: readonly Round[], messages: number, json: boolean): void {
  const colloquy = median(rounds.map(({ colloquySeconds }) => colloquySeconds));
  const raw = median(rounds.map(({ rawSeconds }) => rawSeconds));
  const ratio = median(rounds.map((round) => round.rawSeconds / round.colloquySeconds));
  const megabytes = process.resourceUsage().maxRSS / 1000;
  if (json) {
    const result = { 'sqlite/import': { raw: messages / raw, colloquy: messages / colloquy, ratio }, rounds };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const line = (name: string, seconds: number): string =>
    `${name.padEnd(28)} ${seconds.toFixed(2).padStart(7)} s  ${Math.round(messages / seconds)
      .toLocaleString('en-US')
      .padStart(9)} messages/s\n`;
  process.stdout.write(`${messages.toLocaleString('en-US')} messages, medians of ${String(rounds.length)} rounds\n`);
  process.stdout.write(line('colloquy import', colloquy));
  process.stdout.write(line('better-sqlite3, rows only', raw));
  process.stdout.write(
    `ratio ${ratio.toFixed(2)} (raw time / Colloquy time); peak memory of both ${megabytes.toFixed(0)} MB\n`,
  );
}
