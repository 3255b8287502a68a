import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { OpenOptions } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { TYPESCRIPT } from './child.js';

export async function open(databaseUrl: string, options: OpenOptions = {}): Promise<PersistenceManager> {
  const persistence = await PersistenceManager.open({ databaseUrl, ...options });
  onTestFinished(() => persistence.close());
  return persistence;
}

export interface Chat {
  readonly persistence: PersistenceManager;
  readonly acme: TenantContext;
  readonly userId: string;
  readonly chatId: string;
}

/** A manager with the tenant acme, a user and a conversation. */
export async function openChat(databaseUrl: string): Promise<Chat> {
  const persistence = await open(databaseUrl);
  await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
  const acme = persistence.tenant('acme');
  const user = await acme.users.create({ externalId: 'u-1', username: 'ada' });
  const chat = await acme.conversations.start({ userId: user.id, title: 'chat' });
  return { persistence, acme, userId: user.id, chatId: chat.id };
}

/** The code of the error that a call fails with, or `resolved`. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'resolved',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

/** Runs `children/work-on-database.ts` in processes of their own that begin together, and returns what each of them printed. */
export async function workTogether(parameters: readonly (readonly string[])[]): Promise<string[]> {
  const script = fileURLToPath(new URL('children/work-on-database.ts', import.meta.url));
  const children = parameters.map((given) => {
    const child = spawn(process.execPath, [...TYPESCRIPT, script, ...given], { stdio: ['pipe', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let [output, errors] = ['', ''];
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const ready = once(child.stdout, 'data');
    const ended = once(child, 'close').then(([code]: unknown[]) => {
      if (code !== 0) throw new Error(`the child ended with ${String(code)}: ${errors}`);
      return output.replace(/^ready\n/, '');
    });
    return { child, ready, ended };
  });
  await Promise.all(children.map(({ ready, ended }) => Promise.race([ready, ended])));
  for (const { child } of children) child.stdin.end('go\n');
  return Promise.all(children.map(({ ended }) => ended));
}
