import { defineConfig } from 'vitest/config';

/** Tests that take minutes: whole archives, many killed processes. */
export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    setupFiles: ['test/setup.ts'],
    fileParallelism: false,
    // Of those tests in a file that may run at once.
    maxConcurrency: 2,
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
  },
});
