import { Client } from 'pg';
import { BATCH_ROWS, TABLES } from './tables.js';

interface Filled {
  readonly insert: string;
  /** The texts of each column. */
  readonly columns: readonly (readonly (string | null)[])[];
  readonly rows: number;
}

/** A statement for each transaction's rows, with a list for each column. */
export async function insertIntoPostgreSql(filled: string, empty: string): Promise<number> {
  const from = await connect(filled);
  const tables: Filled[] = [];
  for (const table of TABLES) tables.push(await read(from, table));
  await from.end();
  const to = await connect(empty);
  globalThis.gc?.();
  const begin = performance.now();
  for (const { insert, columns, rows } of tables) {
    for (let first = 0; first < rows; first += BATCH_ROWS) {
      await to.query({
        name: insert,
        text: insert,
        values: columns.map((texts) => texts.slice(first, first + BATCH_ROWS)),
      });
    }
  }
  const seconds = (performance.now() - begin) / 1_000;
  await to.end();
  return seconds;
}

async function connect(connectionString: string): Promise<Client> {
  // Every value as the server writes it.
  const client = new Client({ connectionString, types: { getTypeParser: () => (text: string) => text } });
  await client.connect();
  return client;
}

async function read(client: Client, table: string): Promise<Filled> {
  const sql = `select column_name as name, data_type as type from information_schema.columns
                where table_schema = 'public' and table_name = $1 order by ordinal_position`;
  const { rows: described } = await client.query<{ name: string; type: string }>(sql, [table]);
  const names = described.map(({ name }) => `"${name}"`).join(', ');
  const lists = described.map(({ type }, index) => `$${String(index + 1)}::${type}[]`).join(', ');
  const { rows } = await client.query<Record<string, string | null>>(`select ${names} from ${table} order by id`);
  const columns = described.map(({ name }) => rows.map((row) => row[name] ?? null));
  return { insert: `insert into ${table} (${names}) select * from unnest(${lists})`, columns, rows: rows.length };
}
