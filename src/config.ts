import { ConfigurationError } from './errors.js';

/** Where data is kept when nothing says otherwise: a file in the working directory. */
export const DEFAULT_DATABASE_URL = 'sqlite:./colloquy.sqlite';

/** What can be set from outside; every value has a default. */
export interface Configuration {
  /** `sqlite:PATH`, `sqlite::memory:` or `postgresql://USER@HOST:5432/DATABASE`; from DATABASE_URL unless given. */
  readonly databaseUrl: string;
}

export type ConfigurationInput = Partial<Configuration>;

/**
 * The only reader of the environment: what was given wins over a variable, a variable over the default.
 *
 * @throws ConfigurationError naming every setting that cannot be.
 */
export function resolveConfiguration(
  input: ConfigurationInput = {},
  environment: NodeJS.ProcessEnv = process.env,
): Configuration {
  const databaseUrl: unknown = input.databaseUrl ?? (environment['DATABASE_URL'] || DEFAULT_DATABASE_URL);
  if (typeof databaseUrl !== 'string' || databaseUrl === '') {
    throw new ConfigurationError(['databaseUrl must be a URL, such as sqlite:./colloquy.sqlite']);
  }
  return Object.freeze({ databaseUrl });
}
