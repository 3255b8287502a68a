import { type ConfigurationInput, type DatabaseAddress, resolveConfiguration } from '../config.js';
import type { Engine } from '../database/engine.js';
import { selectEngine } from '../database/select-engine.js';
import { ConfigurationError } from '../errors.js';

/**
 * The engine that the configuration names, with its replicas.
 *
 * @throws ConfigurationError naming everything that is wrong, in the variables and in the URLs.
 */
export async function configuredEngine(input: ConfigurationInput = {}): Promise<Engine> {
  const { database, replicas, problems: wrong } = resolveConfiguration(input);
  const problems = new Set(wrong);
  const select = async ({ url, nameOf }: DatabaseAddress): Promise<Engine | undefined> => {
    try {
      return await selectEngine(url, nameOf);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      for (const problem of error.problems) problems.add(problem);
      return undefined;
    }
  };
  const engine = await select(database);
  const copies: (Engine | undefined)[] = [];
  for (const replica of replicas) copies.push(await select(replica));
  if (engine && replicas.length > 0 && !engine.takesReplicas) {
    problems.add('DATABASE_REPLICA_URLS is for servers, and this database has none');
  } else if (engine && copies.some((copy) => copy && copy.name !== engine.name)) {
    problems.add('DATABASE_REPLICA_URLS must name servers of the same engine as the database');
  }
  if (!engine || problems.size > 0) throw new ConfigurationError([...problems]);
  // All else of a replica is as in the database.
  const options = copies.flatMap((copy) => copy?.options.driverOptions ?? []);
  return { ...engine, options: { ...engine.options, replicas: options.map((driverOptions) => ({ driverOptions })) } };
}
