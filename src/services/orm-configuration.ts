import { configuredEngine } from './orm-engine.js';
import { createOrmOptions } from './orm-options.js';

/** MikroORM's configuration for the database that the environment names; read when the MikroORM command line starts. */
export const ormConfiguration = async () => createOrmOptions(await configuredEngine());
