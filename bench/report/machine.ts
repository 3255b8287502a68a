import { arch, cpus, platform, release, totalmem } from 'node:os';
import { arenas } from '../arenas.js';

/** Where the measurements were made. */
export interface Machine {
  readonly node: string;
  readonly system: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
}

const VERSION: Readonly<Record<string, string>> = {
  sqlite: 'select sqlite_version() as version',
  postgresql: `select current_setting('server_version') as version`,
  mariadb: 'select version() as version',
};

export function thisMachine(): Machine {
  const processors = cpus();
  return {
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: processors[0]?.model.trim() ?? 'unknown',
    processors: processors.length,
    memoryBytes: totalmem(),
  };
}

/** The version of each wanted engine that can be had, as Colloquy's own connection tells it. */
export async function engineVersions(wanted: readonly string[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const arena of await arenas(wanted)) {
    const sql = VERSION[arena.name];
    if (sql === undefined) continue;
    const { persistence, remove } = await arena.open();
    try {
      const rows = await persistence.withEntityManager((em) => em.execute<{ version: string }[]>(sql));
      versions[arena.name] = rows[0]?.version ?? 'unknown';
    } finally {
      await persistence.close();
      await remove();
    }
  }
  return versions;
}
