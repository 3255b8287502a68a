import type { RedisConnection } from './redis-connection.js';
import { RedisUnavailableError } from './redis-unavailable-error.js';

/** Which run of a server this is, or why the server is of no use. */
export type RunReport =
  { readonly run: string; readonly problem?: undefined } | { readonly run?: undefined; readonly problem: string };

/**
 * Asks a server which run of it this is: the process, and the history of its data, which is another one when it begins to follow a
 * server or ends to.
 *
 * @param mayFollow Whether a replica will do.
 * @throws RedisUnavailableError
 */
export async function reportRun(connection: RedisConnection, mayFollow: boolean): Promise<RunReport> {
  const [, server, replication] = await connection.send([['ping'], ['info', 'server'], ['info', 'replication']]);
  const run = fieldOf(server, 'run_id');
  if (run === undefined) return { problem: 'the server does not tell which run of it this is' };
  if (!mayFollow && fieldOf(replication, 'role') === 'slave') return { problem: 'the server is a replica' };
  return { run: `${run}.${fieldOf(replication, 'master_replid') ?? ''}` };
}

/** @throws RedisUnavailableError also if the server is of no use. */
export async function readRun(connection: RedisConnection, mayFollow: boolean): Promise<string> {
  const { run, problem } = await reportRun(connection, mayFollow);
  if (run === undefined) throw new RedisUnavailableError(problem);
  return run;
}

function fieldOf(text: unknown, name: string): string | undefined {
  return typeof text === 'string' ? new RegExp(`^${name}:(\\w+)`, 'm').exec(text)?.[1] : undefined;
}
