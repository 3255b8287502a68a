import { parseArgs } from 'node:util';
import { benchCache } from './cache.js';
import { measureHotPaths, printHotPaths } from './hot-paths.js';
import { benchGrowth } from './growth.js';
import { benchImport } from './import.js';
import { benchProfile } from './profile.js';
import { writeReport } from './report.js';
import { benchRowLevelSecurity } from './row-level-security.js';
import { benchSearch } from './search.js';
import { benchValidation } from './validation.js';

const USAGE = `Usage: npm run bench -- [--quick] [--engines LIST] [--rounds N] [--report] [--json]
       npm run bench -- import [FILE...] [--rounds N] [--json]
       npm run bench -- growth [--quick] [--sizes LIST] [--engines LIST] [--rounds N] [--report] [--json]
       npm run bench -- profile [--quick] [--engines LIST] [--rounds N] [--report] [--json]
       npm run bench -- search [FILE...] [--url URL] [--rounds N] [--json]
       npm run bench -- rls [--rounds N] [--json]
       npm run bench -- validation [--url URL] [--rounds N] [--json]
       npm run bench -- cache [--quick] [--engines LIST] [--rounds N] [--report] [--json]

  (none)   the hot paths, append, last 50, by id and list, of Colloquy and of its unit of work against the driver alone at
           its best, on each engine that can be had, with one caller and on servers with 32, in one process. LIST is
           some of sqlite,postgresql,mariadb; --quick takes less than five minutes. Without --quick, or with --report, the
           results, their plot and the page that shows both are written to bench/results and bench/README.md.
  import   the import of archives against the driver alone that inserts the same rows, on SQLite and PostgreSQL, in one process.
           FILE... are archives; without any, the conversations in COLLOQUY_TEST_DATA or ../shared/data,
           else the bundled sample.
  growth   what a call costs with 10,000, 1,000,000 and 10,000,000 messages in the database (LIST of --sizes), on SQLite and
           PostgreSQL. Without --quick, or with --report, the results are written to bench/results/growth.json and bench/GROWTH.md.
  profile  what lies between the driver alone and a call of the services, level by level, on SQLite and PostgreSQL. Without --quick, or with
           --report, the results are written to bench/results/profile.json and bench/PROFILE.md.
  search   the search for documents, after their import into the empty database at URL, a file of SQLite unless given.
           FILE... are archives; without any, the documents in the same places.
  rls      what row-level security costs on PostgreSQL: the same calls with it and without, in one process, on a
           database that is made on the server of TEST_POSTGRESQL_URL, or on the local one, and dropped again.
  validation  what the entities' rules cost, as a part of an append, of a read by id and of bulk, in the empty database
           at URL, a file of SQLite unless given.
  cache    a read of each tier of the cache beside lru-cache, ioredis and other caches, a cached call beside an uncached one, and a
           replay of conversations as an import finds them, with its hit rate by eviction. Redis is the one that TEST_REDIS_URL names,
           or the local one. Without --quick, or with --report, the results are written to bench/results/cache.json and bench/CACHE.md.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    url: { type: 'string' },
    json: { type: 'boolean', default: false },
    sizes: { type: 'string' },
    report: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    engines: { type: 'string', default: 'sqlite,postgresql,mariadb' },
    help: { type: 'boolean' },
  },
});
const [name, ...files] = positionals;
const optionsWith = (rounds: number) => ({ rounds: Number(values.rounds ?? rounds), json: values.json });
const hotPaths = async () => {
  const engines = values.engines.split(',');
  const rounds = Number(values.rounds ?? (values.quick ? 5 : 15));
  const importRounds = values.quick ? 1 : Math.min(rounds, 3);
  const options = { rounds, importRounds, duration: values.quick ? 150 : 500, engines, peers: !values.quick };
  const results = await measureHotPaths(options);
  printHotPaths(results, values.json);
  if (values.report || !values.quick) await writeReport(results, options);
};
const benches: Readonly<Record<string, () => Promise<void>>> = {
  hot: hotPaths,
  import: () => benchImport(files, { ...optionsWith(3), engines: values.engines.split(',') }),
  search: () => benchSearch(files, { ...optionsWith(20), url: values.url }),
  validation: () => benchValidation({ ...optionsWith(5), url: values.url }),
  rls: () => benchRowLevelSecurity(optionsWith(3)),
  cache: () =>
    benchCache({
      ...optionsWith(values.quick ? 7 : 15),
      engines: values.engines.split(','),
      quick: values.quick,
      report: values.report || !values.quick,
    }),
  profile: () =>
    benchProfile({
      ...optionsWith(values.quick ? 10 : 60),
      duration: 50,
      engines: values.engines.split(',').filter((engine) => engine !== 'mariadb'),
      report: values.report || !values.quick,
    }),
  growth: () =>
    benchGrowth({
      ...optionsWith(5),
      sizes: (values.sizes ?? '10000,1000000,10000000').split(',').map(Number),
      duration: values.quick ? 100 : 300,
      engines: values.engines.split(',').filter((engine) => engine !== 'mariadb'),
      report: values.report || !values.quick,
    }),
};
const bench = benches[name ?? 'hot'];
if (values.help || !bench) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
await bench();
