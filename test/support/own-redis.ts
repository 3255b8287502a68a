import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, newFolder, ServerProcess } from './server-process.js';

/** A Redis server of the test's own, on a spare port: one that may be stopped, frozen, emptied and set as the test needs it. */
export interface OwnRedis {
  readonly port: number;
  readonly url: string;
  /** Starts it again on its port, with the data that it has saved. */
  start(): Promise<void>;
  /** `shutdown` saves where the settings say so; `kill` is a crash. */
  stop(how: 'shutdown' | 'kill'): Promise<void>;
  /** Deletes what it has saved, while it is stopped. */
  forget(): void;
  /** The server keeps its connections, and answers nothing until {@link thaw}. */
  freeze(): void;
  thaw(): void;
  /** Sends a command over a connection of its own. */
  run(name: string, ...values: (string | number)[]): Promise<unknown>;
  /** Ends the server and removes its files. */
  close(): Promise<void>;
}

/** What a server is started with, by the names of its configuration file. */
type Settings = Readonly<Record<string, string | number>>;

const SERVER = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin']
  .map((folder) => join(folder, 'redis-server'))
  .find((path) => existsSync(path));

/** Why no server can be started here; undefined where one can. */
export const NO_OWN_REDIS = SERVER === undefined ? 'no redis-server on the PATH' : undefined;

/** What a group of tests is called that needs an own server. */
export function needsOwnRedis(name: string): string {
  return `${name}${NO_OWN_REDIS === undefined ? '' : ` (skipped: ${NO_OWN_REDIS})`}`;
}

/** Makes and starts a server that saves nothing by itself; close it when the test ends. `at` is its port. */
export async function startOwnRedis(settings: Settings = {}, at?: number): Promise<OwnRedis> {
  const folder = newFolder({});
  const data = join(folder, 'data');
  mkdirSync(data);
  const port = at ?? (await freePort());
  const isSecure = 'tls-cert-file' in settings;
  const ports: Settings = isSecure ? { port: 0, 'tls-port': port } : { port };
  const set: Settings = { bind: '127.0.0.1', save: '', appendonly: 'no', ...settings, dir: data, ...ports };
  const parameters = Object.entries(set).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // It logs to standard output.
  const command = ['/bin/sh', ['-c', 'exec "$0" "$@" 1>&2', SERVER ?? '', ...parameters]] as const;
  const server = new ServerProcess(command, {}, /Ready to accept connections/);
  const password = settings['requirepass'];
  const url = `${isSecure ? 'rediss' : 'redis'}://${password === undefined ? '' : `:${String(password)}@`}127.0.0.1:${String(port)}`;
  await server.start();
  return {
    port,
    url,
    start: () => server.start(),
    stop: (how) => server.stop(how === 'kill' ? 'SIGKILL' : 'SIGTERM'),
    forget() {
      rmSync(data, { recursive: true });
      mkdirSync(data);
    },
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    async run(name, ...values) {
      const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return await client.call(name, ...values);
      } finally {
        client.disconnect();
      }
    },
    async close() {
      await server.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
