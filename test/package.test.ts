import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { CHECKOUT } from './support/child.js';
import { temporaryFolder } from './support/temporary-folder.js';

const run = promisify(execFile);
const INSTALLED = join('node_modules', 'colloquy');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}

beforeAll(async () => {
  await run(process.execPath, ['scripts/build.mjs'], { cwd: CHECKOUT });
});

/** An empty project with the package as npm would lay it down, and nothing but what the package itself depends on. */
async function installInEmptyProject(): Promise<string> {
  const folder = temporaryFolder();
  const manifest = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8')) as Manifest;
  await mkdir(join(folder, INSTALLED), { recursive: true });
  for (const file of [...manifest.files, 'package.json']) {
    await cp(join(CHECKOUT, file), join(folder, INSTALLED, file), { recursive: true });
  }
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
    await symlink(join(CHECKOUT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  return folder;
}

async function readmeCode(): Promise<string> {
  const readme = await readFile(join(CHECKOUT, 'README.md'), 'utf8');
  const code = /```ts\n(.*?)```/s.exec(readme)?.[1];
  if (code === undefined) throw new Error('README.md has no TypeScript');
  return code;
}

test("the README's code runs against the package, prints what it says, and its types resolve", async () => {
  const folder = await installInEmptyProject();
  const code = await readmeCode();
  await writeFile(join(folder, 'app.ts'), code);
  const compilerOptions = { module: 'nodenext', target: 'es2024', lib: ['es2024', 'esnext.disposable'], strict: true };
  const settings = { compilerOptions: { ...compilerOptions, noEmit: true, types: ['node'] }, include: ['app.ts'] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const compiler = join(CHECKOUT, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '-p', folder]);

  const { stdout } = await run(process.execPath, ['app.ts'], { cwd: folder });
  const promised = [...code.matchAll(/^\/\/ (\d+ .*)$/gm)].map(([, line]) => line);
  expect(promised.length).toBeGreaterThan(0);
  expect(stdout.trimEnd().split('\n')).toEqual(promised);
});

test('the installed command imports the sample that comes with it', async () => {
  const folder = await installInEmptyProject();
  const command = join(folder, INSTALLED, 'dist', 'cli', 'main.js');
  await run(process.execPath, [command, 'demo'], { cwd: folder });
  const { stdout } = await run(process.execPath, [command, 'stats', '--tenant', 'demo', '--json'], { cwd: folder });
  const { rows } = JSON.parse(stdout) as { rows: Record<string, number> };
  expect(rows).toMatchObject({ conversations: 64, messages: 736, documents: 16, voice_sessions: 10 });
});

test('an engine whose packages are not installed says what to type', async () => {
  const folder = await installInEmptyProject();
  const command = join(folder, INSTALLED, 'dist', 'cli', 'main.js');
  const env = { ...process.env, DATABASE_URL: 'mysql://ada:secret@db.example/chats' };
  const failure = await run(process.execPath, [command, 'stats'], { cwd: folder, env }).catch(
    (error: unknown) => error,
  );
  const { peerDependencies } = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8')) as Manifest;
  const packages = Object.entries(peerDependencies).map(([name, version]) => `${name}@${version}`);
  expect(failure).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`run: npm install ${packages.join(' ')}.`),
  });
  expect((failure as { stderr: string }).stderr).not.toContain('secret');
});
