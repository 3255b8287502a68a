// The MikroORM command line's door: `npx mikro-orm migration:check`, with DATABASE_URL as everywhere.
export { ormConfiguration as default } from './src/services/orm-configuration.js';
