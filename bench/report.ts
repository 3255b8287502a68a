import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import type { HotPathOptions, Results } from './hot-paths.js';
import { engineVersions, type Machine, thisMachine } from './report/machine.js';
import { pageOf } from './report/page.js';
import { plotOf } from './report/plot.js';

/** The results of a run, and what they depend on. */
export interface Report {
  /** When the run ended, in ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  /** The version of each engine. */
  readonly engines: Readonly<Record<string, string>>;
  readonly options: HotPathOptions;
  readonly results: Results;
}

/** Writes the results, their plot and the page that shows both, over those of an earlier run. */
export async function writeReport(results: Results, options: HotPathOptions): Promise<void> {
  const date = new Date().toISOString();
  const engines = await engineVersions(options.engines);
  const report: Report = { date, machine: thisMachine(), engines, options, results };
  await mkdir(new URL('results', import.meta.url), { recursive: true });
  await writePage('results/hot-paths.json', JSON.stringify(report));
  await write('results/hot-paths.svg', plotOf(results));
  await writePage('README.md', pageOf(report));
}

/** Writes a file of this folder as the check of the repository's format wants it. */
export async function writePage(file: string, text: string): Promise<void> {
  await write(file, await formatted(file, text));
}

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

async function formatted(file: string, text: string): Promise<string> {
  const filepath = pathOf(file);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(pathOf(file), text);
  process.stderr.write(`bench/${file} written\n`);
}
