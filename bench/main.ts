import { parseArgs } from 'node:util';
import { benchImport } from './import.js';
import { benchSearch } from './search.js';

const USAGE = `Usage: npm run bench -- import [FILE...] [--rounds N] [--json]
       npm run bench -- search [FILE...] [--url URL] [--rounds N] [--json]

  import   the import of archives against hand-written better-sqlite3 that inserts the same rows, in one process.
           FILE... are archives; without any, the conversations in COLLOQUY_TEST_DATA or ../shared/data,
           else the bundled sample.
  search   the search for documents, after their import into the empty database at URL, a file of SQLite unless given.
           FILE... are archives; without any, the documents in the same places.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    url: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
});
const { json, url, rounds } = values;
const [name, ...files] = positionals;
if (values.help || (name !== 'import' && name !== 'search')) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
if (name === 'import') await benchImport(files, { rounds: Number(rounds ?? 3), json });
else await benchSearch(files, { url, rounds: Number(rounds ?? 20), json });
