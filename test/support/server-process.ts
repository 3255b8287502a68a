import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who runs a server, for `spawn`; empty for who runs the tests. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** Database servers refuse to run as root: then it is this user, or nobody. */
export function accountOf(user: string): Account {
  if (process.getuid?.() !== 0) return {};
  try {
    return { uid: idOf(user, '-u'), gid: idOf(user, '-g') };
  } catch {
    return { uid: idOf('nobody', '-u'), gid: idOf('nobody', '-g') };
  }
}

function idOf(user: string, what: '-u' | '-g'): number {
  return Number(execFileSync('id', [what, user], { stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** Gives a file or a folder to the account of a server. */
export function giveTo({ uid, gid }: Account, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

/** A new folder that belongs to the account of a server. */
export function newFolder(account: Account): string {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-server-'));
  giveTo(account, folder);
  return folder;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A server that can be started and ended again and again, and what it logs to standard error. */
export class ServerProcess {
  readonly #command: readonly [program: string, parameters: readonly string[]];
  readonly #account: Account;
  readonly #isReady: RegExp;
  #child: ChildProcess | undefined;
  #log = '';

  /** @param isReady What the server logs when it takes connections. */
  constructor(command: readonly [program: string, parameters: readonly string[]], account: Account, isReady: RegExp) {
    this.#command = command;
    this.#account = account;
    this.#isReady = isReady;
  }

  get log(): string {
    return this.#log;
  }

  async start(): Promise<void> {
    const [program, parameters] = this.#command;
    const child = spawn(program, parameters, { ...this.#account, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const from = this.#log.length;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
      if (this.#isReady.test(this.#log.slice(from))) resolve();
    });
    const ended = once(child, 'close').then(() => {
      throw new Error(`the server ended at its start: ${this.#log.slice(from)}`);
    });
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  /** SIGSTOP freezes it, and SIGCONT thaws it. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}
