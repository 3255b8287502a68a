import { execFileSync } from 'node:child_process';
import { CHECKOUT } from './support/child.js';
import { startServers } from './support/servers.js';

/**
 * Before the first test: the build that processes of tests run, and what servers are wanted and not there. vitest calls what it returns
 * after the last one.
 */
export async function setup(): Promise<() => Promise<void>> {
  // What is wrong with types, `npm run types` says.
  execFileSync(process.execPath, ['scripts/build.mjs', '.build', '--noCheck'], { cwd: CHECKOUT, stdio: 'inherit' });
  return startServers();
}
