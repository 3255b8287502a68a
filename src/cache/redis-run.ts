import type { RedisConnection } from './redis-connection.js';
import { RedisUnavailableError } from './redis-unavailable-error.js';

/**
 * Asks a server which run of it this is: the process, and the history of its data, which is another one when it begins to follow a
 * server or ends to.
 *
 * @param mayFollow Whether a replica will do.
 * @throws RedisUnavailableError
 */
export async function readRun(connection: RedisConnection, mayFollow: boolean): Promise<string> {
  const [, server, replication] = await connection.send([['ping'], ['info', 'server'], ['info', 'replication']]);
  const run = fieldOf(server, 'run_id');
  if (run === undefined) throw new RedisUnavailableError('the server does not tell which run of it this is');
  if (!mayFollow && fieldOf(replication, 'role') === 'slave') {
    throw new RedisUnavailableError('the server is a replica');
  }
  return `${run}.${fieldOf(replication, 'master_replid') ?? ''}`;
}

function fieldOf(text: unknown, name: string): string | undefined {
  return typeof text === 'string' ? new RegExp(`^${name}:(\\w+)`, 'm').exec(text)?.[1] : undefined;
}
