#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { EXIT } from './exit-codes.js';

// An import makes much garbage and keeps little. Left alone, V8 grows its heap to more than half of the memory that the command
// takes; told so before the rest is loaded, it collects more often instead.
setFlagsFromString('--optimize-for-size');
const { runCommandLine } = await import('./program.js');

const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort());
process.once('SIGTERM', () => interruption.abort());
// Whoever reads the output, such as `head`, may have had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.success);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), interruption.signal);
