import { MikroORM } from '@mikro-orm/core';
import { onTestFinished } from 'vitest';
import type { Engine } from '../../src/database/engine.js';
import { Migrator } from '../../src/database/migrator.js';
import { createRuntime, installRuntime } from '../../src/runtime.js';
import { createOrmOptions } from '../../src/services/orm-options.js';
import { type OpenOptions, PersistenceManager } from '../../src/services/persistence-manager.js';
import { freshUrl, isSqlite } from './engine-under-test.js';
import { populate, type Populated } from './furnish.js';
import { type FakeClock, fakeClock, seededRandom } from './sources.js';

export { populate, type Populated } from './furnish.js';

export interface ManagerOptions {
  /** A database of its own unless given; in memory on SQLite. */
  readonly url?: string;
  readonly clock?: FakeClock;
  /** A second manager of one file needs another seed: the same one would make the same ids. */
  readonly seed?: number;
  readonly migrate?: boolean;
  readonly cache?: OpenOptions['cache'];
}

export interface OpenedManager {
  readonly persistence: PersistenceManager;
  readonly clock: FakeClock;
}

/** A manager over a fake clock and seeded random bytes, closed when the test ends. */
export async function openManager(options: ManagerOptions = {}): Promise<OpenedManager> {
  const clock = options.clock ?? fakeClock();
  const openOptions: OpenOptions = {
    databaseUrl: options.url ?? (isSqlite ? 'sqlite::memory:' : await freshUrl()),
    clock,
    random: seededRandom(options.seed ?? 1),
    ...(options.migrate !== undefined && { migrate: options.migrate }),
    ...(options.cache !== undefined && { cache: options.cache }),
  };
  const persistence = await PersistenceManager.open(openOptions);
  onTestFinished(() => persistence.close());
  return { persistence, clock };
}

/** A manager with one populated tenant, acme. */
export async function openAcme(options: ManagerOptions = {}): Promise<OpenedManager & Populated> {
  const opened = await openManager(options);
  return { ...opened, ...(await populate(opened.persistence, 'acme')) };
}

/** The ORM of an engine with Colloquy's migrator, and nothing migrated; closed when the test ends. */
export async function openOrm(engine: Engine, clock = fakeClock()): Promise<{ orm: MikroORM; migrator: Migrator }> {
  const orm = await MikroORM.init(createOrmOptions(engine));
  installRuntime(orm.config, createRuntime({ clock, random: seededRandom(1) }));
  await orm.connect();
  onTestFinished(() => orm.close(true));
  return { orm, migrator: Migrator.of(orm) };
}
