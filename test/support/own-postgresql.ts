import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Where this machine has the programs of a PostgreSQL server; undefined when it has none. */
export function findPostgreSql(): string | undefined {
  try {
    return execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** How a server is stopped: it ends its connections and writes everything down; or it stops at once, and recovers at its next start. */
export type Stop = 'fast' | 'immediate';

/** A PostgreSQL server of a test's own, on a free port, in a temporary folder. */
export class OwnPostgreSql {
  readonly url: string;
  readonly #programs: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #user: { readonly uid?: number; readonly gid?: number };
  #server: ChildProcess | undefined;

  private constructor(programs: string, port: number) {
    this.#programs = programs;
    this.#port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'colloquy-postgresql-'));
    this.#user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
    this.url = `postgresql://postgres@127.0.0.1:${String(port)}/postgres`;
  }

  /** @param programs what {@link findPostgreSql} has found */
  static async start(programs: string): Promise<OwnPostgreSql> {
    const server = new OwnPostgreSql(programs, await freePort());
    server.#initialise();
    await server.#start();
    return server;
  }

  async restart(how: Stop): Promise<void> {
    await this.#stop(how);
    await this.#start();
  }

  async close(): Promise<void> {
    await this.#stop('immediate');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #initialise(): void {
    const { uid, gid } = this.#user;
    // The server refuses to run as the superuser of the system.
    if (uid !== undefined && gid !== undefined) chownSync(this.#folder, uid, gid);
    const options = ['--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C', '--no-sync'];
    const settings = { ...this.#user, cwd: this.#folder, stdio: 'pipe' } as const;
    execFileSync(join(this.#programs, 'initdb'), ['--pgdata', join(this.#folder, 'data'), ...options], settings);
  }

  async #start(): Promise<void> {
    const settings = {
      port: String(this.#port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      lc_messages: 'C',
    };
    const server = spawn(
      join(this.#programs, 'postgres'),
      ['-D', join(this.#folder, 'data'), ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`)],
      { ...this.#user, cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#server = server;
    const log: string[] = [];
    for await (const line of createInterface({ input: server.stderr })) {
      log.push(line);
      if (line.includes('ready to accept connections')) {
        // What it says later is of no interest, and must not fill the pipe.
        server.stderr.resume();
        return;
      }
    }
    throw new Error(`PostgreSQL did not start: ${log.join('\n')}`);
  }

  async #stop(how: Stop): Promise<void> {
    if (!this.#server || this.#server.exitCode !== null) return;
    const ended = once(this.#server, 'exit');
    this.#server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }
}

function idOf(option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
