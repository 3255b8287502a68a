import { Connection } from 'mysql2';
import { Client } from 'pg';
import { onTestFinished } from 'vitest';
import type { BoundSqliteConnection } from '../../src/database/sqlite-driver.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { engineUnderTest } from './engine-under-test.js';

/** The text of every statement that reaches the database from now on: what its driver is asked to send, not what a log says. */
export async function sentStatements(
  persistence: PersistenceManager,
  engine: string = engineUnderTest.name,
): Promise<readonly string[]> {
  if (['postgresql', 'pgbouncer'].includes(engine)) return sentBy(Client.prototype, ['query']);
  if (engine === 'mariadb') return sentBy(Connection.prototype, ['query', 'execute']);
  const connection = persistence.orm.em.getConnection() as unknown as BoundSqliteConnection;
  return sentBy(await connection.getNativeClient(), ['prepare', 'exec']);
}

/** The text of every statement that an embedded database runs from now on: prepared ones each time, and scripts. */
export async function ranStatements(persistence: PersistenceManager): Promise<readonly string[]> {
  const connection = persistence.orm.em.getConnection() as unknown as BoundSqliteConnection;
  const database = await connection.getNativeClient();
  const statements = Object.getPrototypeOf(database.prepare('select 1')) as object;
  const ran: string[] = [];
  const noting = (client: object, method: string, textOf: (self: unknown, given: unknown[]) => string): void => {
    const run = Reflect.get(client, method) as Send;
    function note(this: unknown, ...given: unknown[]): unknown {
      ran.push(textOf(this, given));
      return Reflect.apply(run, this, given);
    }
    const isOwn = Object.hasOwn(client, method);
    Reflect.set(client, method, note);
    onTestFinished(() => void (isOwn ? Reflect.set(client, method, run) : Reflect.deleteProperty(client, method)));
  };
  for (const method of ['run', 'get', 'all']) {
    noting(statements, method, (self) => (self as { readonly source: string }).source);
  }
  noting(database, 'exec', (_self, [text]) => String(text));
  return ran;
}

type Send = (this: unknown, statement: unknown, ...others: unknown[]) => unknown;

/** Notes what the methods of a driver's client are called with, until the test ends. */
function sentBy(client: object, methods: readonly string[]): readonly string[] {
  const sent: string[] = [];
  for (const method of methods) {
    const send = Reflect.get(client, method) as Send;
    const isOwn = Object.hasOwn(client, method);
    function note(this: unknown, statement: unknown, ...others: unknown[]): unknown {
      sent.push(typeof statement === 'string' ? statement : (statement as { text: string }).text);
      return Reflect.apply(send, this, [statement, ...others]);
    }
    Reflect.set(client, method, note);
    onTestFinished(() => void (isOwn ? Reflect.set(client, method, send) : Reflect.deleteProperty(client, method)));
  }
  return sent;
}
