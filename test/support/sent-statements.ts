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
  const ran = sentBy(
    statements,
    ['run', 'get', 'all'],
    (statement) => (statement as { readonly source: string }).source,
  );
  return sentBy(database, ['exec'], (_database, text) => String(text), ran);
}

type Send = (this: unknown, statement: unknown, ...others: unknown[]) => unknown;

/** The text of what a client's method is called with, whether that is the text itself or an object that has it. */
function textOf(_client: unknown, statement: unknown): string {
  return typeof statement === 'string' ? statement : (statement as { text: string }).text;
}

/** Notes what the methods of a driver's object are called for, after what was noted before, until the test ends. */
function sentBy(client: object, methods: readonly string[], text = textOf, sent: string[] = []): string[] {
  for (const method of methods) {
    const send = Reflect.get(client, method) as Send;
    const isOwn = Object.hasOwn(client, method);
    function note(this: unknown, ...given: [unknown, ...unknown[]]): unknown {
      sent.push(text(this, given[0]));
      return Reflect.apply(send, this, given);
    }
    Reflect.set(client, method, note);
    onTestFinished(() => void (isOwn ? Reflect.set(client, method, send) : Reflect.deleteProperty(client, method)));
  }
  return sent;
}
