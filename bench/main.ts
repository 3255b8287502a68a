import { parseArgs } from 'node:util';
import { benchImport } from './import.js';

const USAGE = `Usage: npm run bench -- import [FILE...] [--rounds N] [--json]

  import   the import of archives against hand-written better-sqlite3 that inserts the same rows, in one process.
           FILE... are archives; without any, the conversations in COLLOQUY_TEST_DATA or ../shared/data,
           else the bundled sample.
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
if (values.help || name !== 'import') {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
await benchImport(files, { rounds: Number(values.rounds), json: values.json });
