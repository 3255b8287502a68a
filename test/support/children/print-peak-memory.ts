// Loaded before a program, with `--import`: prints the greatest resident set of the process when it ends.
process.on('exit', () => {
  process.stderr.write(`peak resident set: ${String(process.resourceUsage().maxRSS)} KiB\n`);
});
