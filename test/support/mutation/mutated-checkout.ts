import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../child.js';
import type { Dropped, SourceMutant } from './source-mutant.js';

const COPIED = ['src', 'test', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'vitest.config.ts'];

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** A copy of the source tree in which one guard at a time is dropped. */
export class MutatedCheckout {
  readonly #folder = mkdtempSync(join(tmpdir(), 'colloquy-mutant-'));

  constructor() {
    for (const name of COPIED) cpSync(join(CHECKOUT, name), join(this.#folder, name), { recursive: true });
    symlinkSync(join(CHECKOUT, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The first test that fails without the guard; undefined where none does. */
  async killerOf(mutant: SourceMutant): Promise<string | undefined> {
    const { test, only, also = [], engine = 'sqlite' } = mutant;
    const restore: (() => void)[] = [];
    try {
      for (const dropped of [mutant, ...also]) restore.push(this.#drop(dropped));
      return await this.#firstFailure(test, only, engine);
    } finally {
      for (const back of restore.toReversed()) back();
    }
  }

  /** Drops a guard, and returns what puts it back. */
  #drop({ file, find, replace }: Dropped): () => void {
    const path = join(this.#folder, 'src', file);
    const source = readFileSync(path, 'utf8');
    const places = source.split(find).length - 1;
    if (places !== 1) throw new Error(`${file} has ${String(places)} places for the mutant: ${find}`);
    const without = source.replace(find, () => replace);
    writeFileSync(path, without);
    return () => writeFileSync(path, source);
  }

  async #firstFailure(test: string, only: string | undefined, engine: string): Promise<string | undefined> {
    const output = join(this.#folder, 'report.json');
    rmSync(output, { force: true });
    const narrowed = only === undefined ? [] : ['-t', only];
    const limits = ['--testTimeout=30000', '--hookTimeout=30000'];
    const reporting = [...limits, '--bail', '1', '--reporter=json', `--outputFile=${output}`];
    const said = await this.#vitest(['run', test, ...narrowed, ...reporting], engine);
    if (!existsSync(output)) throw new Error(`vitest left no report of ${test}: ${said}`);
    const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Report;
    const results = testResults.flatMap(({ assertionResults }) => assertionResults);
    const failed = results.find(({ status }) => status === 'failed');
    if (failed) return failed.fullName;
    const broken = testResults.find(({ message }) => message !== '');
    if (broken) throw new Error(`${test} could not be run: ${broken.message}`);
    if (!results.some(({ status }) => status === 'passed')) throw new Error(`${test} has no test ${only ?? ''}`);
    return undefined;
  }

  async #vitest(parameters: readonly string[], engine: string): Promise<string> {
    const outer = Object.entries(process.env).filter(([name]) => !/^(?:VITEST|TEST_ENGINE|NODE_OPTIONS)/.test(name));
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...parameters], {
      cwd: this.#folder,
      env: { ...Object.fromEntries(outer), ENGINES: [...new Set(['sqlite', engine])].join() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
    await once(child, 'close');
    return said;
  }
}
