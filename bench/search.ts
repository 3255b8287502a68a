import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importArchives, PersistenceManager } from '../src/index.js';
import { benchDocuments } from './data.js';
import { median } from './median.js';

const QUERIES = [
  'response_model',
  'dependency injection',
  'how to install fastapi in a virtual environment',
  'dependência',
  'зависимости',
  'インストール',
  '依存',
  '依赖',
  '参数',
  '数',
  '라이브러리',
  'nothing-of-that-kind',
] as const;

interface SearchOptions {
  /** Of an empty database; an SQLite file that is removed afterwards unless given. */
  readonly url?: string | undefined;
  readonly rounds: number;
  readonly json: boolean;
}

interface Measured {
  readonly query: string;
  readonly hits: number;
  readonly milliseconds: number;
}

/** Imports documents and searches them, each query in every round: the median time from the call to the 20 best hits. */
export async function benchSearch(files: readonly string[], options: SearchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'));
  try {
    const databaseUrl = options.url ?? `sqlite:${join(folder, 'colloquy.sqlite')}`;
    await using persistence = await PersistenceManager.open({ databaseUrl, cache: false });
    await persistence.tenants.ensure({ slug: 'bench', name: 'Bench' });
    const { documents } = persistence.tenant('bench');
    const archives = files.length > 0 ? files : benchDocuments();
    await importArchives(persistence.tenant('bench'), archives);
    const { rows } = await persistence.tenant('bench').stats();
    const measured: Measured[] = [];
    for (const query of QUERIES) {
      // The first time a statement is prepared.
      let { length: hits } = await documents.search(query);
      const times: number[] = [];
      for (let round = 0; round < options.rounds; round += 1) {
        const begin = performance.now();
        ({ length: hits } = await documents.search(query));
        times.push(performance.now() - begin);
      }
      measured.push({ query, hits, milliseconds: median(times) });
    }
    report(persistence.database, rows['documents'] ?? 0, measured, options.json);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(database: string, documents: number, measured: readonly Measured[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ database, documents, search: measured }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${database}, ${documents.toLocaleString('en-US')} documents\n`);
  for (const { query, hits, milliseconds } of measured) {
    process.stdout.write(`${milliseconds.toFixed(1).padStart(8)} ms  ${String(hits).padStart(2)} hits  ${query}\n`);
  }
}
