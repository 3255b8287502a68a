// Runs before `npm start`, `npm test` and `npm run colloquy`, on the system's Node (20 or later): installs what the lock
// file names when node_modules does not match it. The stamp is written last, so an interrupted install is done again.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.colloquy-installed');
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .update(`${process.platform}-${process.arch}`)
  .digest('hex');
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';

if (installed !== wanted) {
  process.stderr.write('Installing the packages of package-lock.json (once) ...\n');
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' };
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], options);
  if (result.error || result.status !== 0) {
    const reason = result.error ? result.error.message : `npm ci ended with code ${String(result.status)}`;
    process.stderr.write(`The packages could not be installed: ${reason}. Run "npm ci" to see why.\n`);
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}
