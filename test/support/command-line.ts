import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import { CHECKOUT, TYPESCRIPT } from './child.js';
import { temporaryFolder } from './temporary-folder.js';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Printed = Pick<Finished, 'code' | 'stdout' | 'stderr'>;

export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when standard error holds the text; fails when the process ends without it. */
  says(text: string): Promise<void>;
}

export interface ProcessOptions {
  /** Becomes DATABASE_URL, which is not set otherwise. */
  readonly url?: string | undefined;
  /** A temporary folder unless given. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `node` and the parameters that run a TypeScript file of the tests from any folder. */
export function typescript(file: string): string[] {
  return [process.execPath, ...TYPESCRIPT, join(CHECKOUT, file)];
}

/** What runs the command line, as it is built, from any folder; a file of the tests may be loaded before it. */
export function commandLine(preload?: string): string[] {
  const preloads =
    preload === undefined ? [] : [...TYPESCRIPT, '--import', pathToFileURL(join(CHECKOUT, preload)).href];
  return [process.execPath, ...preloads, join(CHECKOUT, '.build', 'cli', 'main.js')];
}

/** Starts a program; it does not outlive the test. */
export function startProgram(command: readonly string[], options: ProcessOptions = {}): Running {
  const { DATABASE_URL: _unused, ...inherited } = process.env;
  const [program = '', ...parameters] = command;
  const child = spawn(program, parameters, {
    cwd: options.cwd ?? temporaryFolder(),
    env: {
      ...inherited,
      // The loader looks for it in the working directory.
      TSX_TSCONFIG_PATH: join(CHECKOUT, 'tsconfig.json'),
      ...(options.url !== undefined && { DATABASE_URL: options.url }),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = once(child, 'close').then(([code, signal]: (number | string | null)[]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }));
  return {
    process: child,
    finished,
    async says(text) {
      const ended = finished.then(() => {
        throw new Error(`the process ended without having said ${JSON.stringify(text)}: ${stderr}`);
      });
      while (!stderr.includes(text)) await Promise.race([once(child.stderr, 'data'), ended]);
      ended.catch(() => {});
    },
  };
}

/** Starts the command line, as `colloquy` would. */
export function startColloquy(parameters: readonly string[], options: ProcessOptions = {}): Running {
  return startProgram([...commandLine(), ...parameters], options);
}

/** Runs the command line to its end. */
export async function colloquy(parameters: readonly string[], options: ProcessOptions = {}): Promise<Finished> {
  return startColloquy(parameters, options).finished;
}

/** Runs several command lines one after the other in one process, which starts faster than one for each. */
export async function colloquyInTurn(
  commandLines: readonly (readonly string[])[],
  options: ProcessOptions = {},
): Promise<Printed[]> {
  const script = typescript('test/support/children/run-commands.ts');
  const { code, stdout, stderr } = await startProgram([...script, JSON.stringify(commandLines)], options).finished;
  if (code !== 0 || stderr !== '') throw new Error(`a command threw an error: ${stderr}`);
  return JSON.parse(stdout) as Printed[];
}
