import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const ENGINES = ['sqlite', 'postgresql'] as const;

/**
 * Generates the clients of Prisma into `bench/node_modules`, where they go with it. The command looks for an engine of migrations that it
 * would else download, and does not run it for this: any file that exists will do.
 */
export function generatePrismaClients(): void {
  const cli = createRequire(import.meta.url).resolve('prisma/build/index.js');
  for (const engine of ENGINES) {
    const schema = fileURLToPath(new URL(`prisma/${engine}.prisma`, import.meta.url));
    const env = { ...process.env, CHECKPOINT_DISABLE: '1', PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
    const { status, stderr } = spawnSync(process.execPath, [cli, 'generate', '--schema', schema], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`prisma generate failed for ${engine}: ${stderr}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generatePrismaClients();
