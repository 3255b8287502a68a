import { defineConfig } from 'vitest/config';
import { availableEngines } from './test/support/servers.js';

/** What every engine must do, and so runs on each; whatever else there is looks at one engine, at several, or at none. */
const ON_EVERY_ENGINE = [
  'test/services/**/*.test.ts',
  'test/guarantees/**/*.test.ts',
  'test/transactions.test.ts',
  'test/database/bound-parameters.test.ts',
  'test/database/round-trips.test.ts',
  'test/interchange/import*.test.ts',
  'test/interchange/round-trip*.test.ts',
  'test/cli/{export,history,search,seed}.test.ts',
];

const engines = await availableEngines();

export default defineConfig({
  test: {
    // Two cores; several tests start processes of their own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['test/global-setup.ts'],
    setupFiles: ['test/setup.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'general', include: ['test/**/*.test.ts'], exclude: ['test/long/**', ...ON_EVERY_ENGINE] },
      },
      ...engines.map((name) => ({
        extends: true as const,
        test: { name, include: ON_EVERY_ENGINE, env: { TEST_ENGINE: name } },
      })),
    ],
  },
});
