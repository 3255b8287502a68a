// Runs several command lines, one after the other, in one process, and prints what each of them printed and its exit code as JSON.
// A command line may begin with `DATABASE_URL=...`, as in a shell; it holds for those after it too.
import 'reflect-metadata';
import { runCommandLine } from '../../../src/cli/program.js';
import { say } from '../say.js';

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run([first = '', ...others]: readonly string[]): Promise<Result> {
  const [, url] = /^DATABASE_URL=(.*)$/s.exec(first) ?? [];
  if (url !== undefined) process.env['DATABASE_URL'] = url;
  const parameters = url === undefined && first !== '' ? [first, ...others] : others;
  let [stdout, stderr] = ['', ''];
  process.stdout.write = (text: string | Uint8Array) => Boolean((stdout += text.toString()));
  process.stderr.write = (text: string | Uint8Array) => Boolean((stderr += text.toString()));
  const code = await runCommandLine(parameters, new AbortController().signal);
  return { code, stdout, stderr };
}

const commandLines = JSON.parse(process.argv[2] ?? '[]') as string[][];
const results: Result[] = [];
for (const parameters of commandLines) results.push(await run(parameters));
say(JSON.stringify(results));
