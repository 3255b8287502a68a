#!/usr/bin/env node
import { EXIT } from './exit-codes.js';
import { runCommandLine } from './program.js';

const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort());
process.once('SIGTERM', () => interruption.abort());
// Whoever reads the output, such as `head`, may have had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.success);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), interruption.signal);
