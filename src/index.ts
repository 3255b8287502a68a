export * from './errors.js';
export { PersistenceManager, type OpenOptions } from './services/persistence-manager.js';
