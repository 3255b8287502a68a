import { startServers } from './support/servers.js';

/** Before the first test: what servers are wanted and not there. vitest calls what it returns after the last one. */
export async function setup(): Promise<() => Promise<void>> {
  return startServers();
}
