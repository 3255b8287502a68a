import type { Command } from 'commander';
import { CACHED_KINDS, type CachedKind } from '../../services/cached-kinds.js';
import { PersistenceManager } from '../../services/persistence-manager.js';
import type { CommandContext, CommandRunner } from '../command-context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { count, table } from '../terminal.js';

interface CacheOptions {
  readonly tenant?: string;
  readonly rows?: string;
  readonly json?: boolean;
}

/** How many of a tenant's newest rows of a kind are loaded unless something else is said. */
const WARMED = '1000';
const WARMED_KINDS = CACHED_KINDS.filter((kind) => kind !== 'history');

export function addCacheCommand(program: Command, run: CommandRunner): void {
  const cache = program
    .command('cache')
    .description('look after what processes cache in the Redis that REDIS_URL names')
    .addHelpText('after', '\nThe database stays as it is, whatever becomes of the cache.');
  cache
    .command('clear')
    .description('forget what is cached, in Redis and in every process that uses it')
    .option('--tenant <slug>', 'forget what is cached of this tenant alone')
    .option('--json', 'print the result as JSON')
    .action((options: CacheOptions) => run((context) => clear(context, options), options.json));
  cache
    .command('stats')
    .description('count what is cached in Redis, and show how the processes do that use it')
    .option('--tenant <slug>', 'count what is cached of this tenant alone')
    .option('--json', 'print the result as JSON')
    .action((options: CacheOptions) => run((context) => stats(context, options), options.json));
  cache
    .command('warm')
    .description('load the newest rows of each kind into Redis, before anybody asks for them')
    .option('--tenant <slug>', 'load rows of this tenant alone')
    .option('--rows <number>', 'how many rows of each kind and tenant, 1 to 100,000', WARMED)
    .option('--json', 'print the result as JSON')
    .action((options: CacheOptions) => run((context) => warm(context, options), options.json));
}

async function clear({ terminal, signal }: CommandContext, { tenant }: CacheOptions): Promise<ExitCode> {
  await using persistence = await PersistenceManager.open();
  persistence.cache.assertShared();
  await persistence.cache.clear({ tenant, signal });
  terminal.line(`Forgotten: what was cached of ${tenant === undefined ? 'all tenants' : `tenant ${tenant}`}.`);
  terminal.result({ database: persistence.database, tenant: tenant ?? null });
  return EXIT.success;
}

async function stats({ terminal }: CommandContext, { tenant }: CacheOptions): Promise<ExitCode> {
  await using persistence = await PersistenceManager.open();
  const result = await persistence.cache.sharedStatistics({ tenant });
  terminal.line(`Database: ${persistence.database}`);
  const entries = Object.entries(result.entries).toSorted(([a], [b]) => (a < b ? -1 : 1));
  terminal.line(entries.length === 0 ? 'Redis holds nothing of it.' : 'Redis holds');
  for (const line of table(entries.map(([kind, number]) => [`  ${kind}`, number]))) terminal.line(line);
  for (const { name, unconfirmed, regions } of result.processes) {
    terminal.line();
    terminal.line(`Process ${name}${unconfirmed > 0 ? `, ${count(unconfirmed)} removals not confirmed` : ''}`);
    const used = Object.entries(regions).filter(([, { hits, misses }]) => hits.local + hits.shared + misses > 0);
    const rows = used.map(([kind, { hits, misses, loads, errors }]) => {
      const reads = hits.local + hits.shared + misses;
      const rate = `${((100 * (hits.local + hits.shared)) / reads).toFixed(1)} %`;
      return [`  ${kind}`, reads, rate, hits.local, hits.shared, loads, errors];
    });
    const head = ['  kind', 'reads', 'hits', 'in memory', 'in Redis', 'loads', 'errors'];
    for (const line of rows.length === 0 ? ['  has read nothing'] : table([head, ...rows])) terminal.line(line);
  }
  terminal.result({ database: persistence.database, ...result });
  return EXIT.success;
}

async function warm({ terminal, signal }: CommandContext, { tenant, rows = WARMED }: CacheOptions): Promise<ExitCode> {
  const limit = Number(rows);
  if (!/^\d{1,6}$/.test(rows) || limit < 1 || limit > 100_000) {
    terminal.refuse('--rows must be a whole number from 1 to 100,000.');
    return EXIT.usage;
  }
  await using persistence = await PersistenceManager.open();
  persistence.cache.assertShared();
  const wanted = Object.fromEntries(WARMED_KINDS.map((kind) => [kind, limit])) as Partial<Record<CachedKind, number>>;
  const warmed = await persistence.cache.warm({ tenant, rows: wanted, signal });
  terminal.line(`Loaded: ${count(warmed, 'row')}.`);
  terminal.result({ database: persistence.database, rows: warmed });
  return EXIT.success;
}
