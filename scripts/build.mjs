// Builds the package: compiles src to dist from nothing, so that no file of an earlier build is left in it. Tests and benchmarks name
// another folder, and options of the compiler.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [folder = 'dist', ...options] = process.argv.slice(2);
rmSync(join(root, folder), { recursive: true, force: true });
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(
  process.execPath,
  [compiler, '-p', 'tsconfig.build.json', '--outDir', folder, ...options],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
if (status === 0) chmodSync(join(root, folder, 'cli', 'main.js'), 0o755);
process.exit(status ?? 1);
