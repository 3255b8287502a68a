import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

export const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));

/** What `node` needs to run a TypeScript file of the tests beside the package as it is built. */
export const TYPESCRIPT = [
  createRequire(import.meta.url).resolve('tsx'),
  join(CHECKOUT, 'scripts', 'use-build.mjs'),
].flatMap((path) => ['--import', pathToFileURL(path).href]);

export interface Child {
  readonly process: ChildProcess;
  /** What the child prints, line by line, until it ends. */
  readonly lines: AsyncIterable<string>;
  /** Resolves when the child has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly errors: string }>;
}

/** Starts `children/<name>.ts` in a process of its own, which does not outlive the test. */
export function startChild(name: string, parameters: readonly string[] = []): Child {
  const script = fileURLToPath(new URL(`children/${name}.ts`, import.meta.url));
  return start(process.execPath, [...TYPESCRIPT, script, ...parameters]);
}

/** Runs a command in the checkout to its end; the environment is this process's and `environment`. */
export async function runCommand(
  command: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = start(command, parameters, environment);
  let output = '';
  for await (const line of child.lines) output += `${line}\n`;
  const { code, errors } = await child.ended;
  return { code, output: output + errors };
}

function start(
  command: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(command, parameters, {
    cwd: CHECKOUT,
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  // It may be gone before it has read what it is told.
  child.stdin.on('error', () => undefined);
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => ({
    code: code as number | null,
    signal: signal as string | null,
    errors,
  }));
  return { process: child, lines: createInterface({ input: child.stdout }), ended };
}
