import { parseArgs } from 'node:util';
import { benchImport } from './import.js';
import { benchRowLevelSecurity } from './row-level-security.js';

const USAGE = `Usage: npm run bench -- import [FILE...] [--rounds N] [--json]
       npm run bench -- rls [--rounds N] [--json]

  import   the import of archives against hand-written better-sqlite3 that inserts the same rows, in one process.
           FILE... are archives; without any, the conversations in COLLOQUY_TEST_DATA or ../shared/data,
           else the bundled sample.
  rls      what row-level security costs on PostgreSQL: the same calls with it and without, in one process, on a
           database that is made on the server of TEST_POSTGRESQL_URL, or on the local one, and dropped again.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
});
const [name, ...files] = positionals;
const options = { rounds: Number(values.rounds), json: values.json };
const benches: Readonly<Record<string, () => Promise<void>>> = {
  import: () => benchImport(files, options),
  rls: () => benchRowLevelSecurity(options),
};
const bench = benches[name ?? ''];
if (values.help || !bench) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
await bench();
