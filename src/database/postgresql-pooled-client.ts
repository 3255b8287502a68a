import type { Client } from 'pg';

type StartupConfiguration = Readonly<Record<string, string>>;
/** What `pg` sends when it connects; it is no part of its types. */
type StartingClient = { getStartupConf(): StartupConfiguration };

const BEGIN = /^(?:begin|start transaction)\b/;

/**
 * A class of clients for a pooler that gives every transaction whatever connection of the server is free. Nothing may be left behind
 * there: of the settings at the start only those are sent that poolers keep apart by themselves, and the limit for statements is set
 * in each transaction. Statements outside of one have the limit of the server, of its database or of the user's role.
 *
 * @param statementTimeout in milliseconds; 0 for none
 */
export function pooledClientClass(base: typeof Client, statementTimeout: number): typeof Client {
  class PooledClient extends base {
    getStartupConf(): StartupConfiguration {
      const inherited = base.prototype as unknown as StartingClient;
      return { ...inherited.getStartupConf.call(this), TimeZone: 'UTC' };
    }

    // oxlint-disable-next-line typescript/no-explicit-any -- one implementation for the nine overloads of pg
    override query(...parameters: any[]): any {
      const [text, ...rest] = parameters as [unknown, ...unknown[]];
      const begins = typeof text === 'string' && BEGIN.test(text);
      const given = begins ? `${text}; set local statement_timeout = ${String(statementTimeout)}` : text;
      return super.query(...([given, ...rest] as [never]));
    }
  }
  return PooledClient;
}
