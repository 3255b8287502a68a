import type { BoundSqliteConnection } from '../../src/database/sqlite-driver.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';

/** The text of every statement that reaches SQLite from now on: what it is asked to prepare or execute, not what a log says. */
export async function sentStatements(persistence: PersistenceManager): Promise<readonly string[]> {
  const connection = persistence.orm.em.getConnection() as unknown as BoundSqliteConnection;
  const client = await connection.getNativeClient();
  const sent: string[] = [];
  const prepare = client.prepare.bind(client);
  const exec = client.exec.bind(client);
  Object.assign(client, {
    prepare(text: string) {
      sent.push(text);
      return prepare(text);
    },
    exec(text: string) {
      sent.push(text);
      return exec(text);
    },
  });
  return sent;
}
