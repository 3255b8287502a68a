import { CompiledQuery } from 'kysely';

/** Among fewer rows any index will do, so the plans that the server has made meanwhile may be bad for more. */
const ROWS_SMALL = 100;

/** How much tables grow by the bulk inserts of one process. */
export class TableGrowth {
  readonly #rows = new Map<string, number>();

  /** Tells, once for each table, that it is not small any more. */
  add(table: string, rows: number): boolean {
    const before = this.#rows.get(table) ?? 0;
    this.#rows.set(table, before + rows);
    return before < ROWS_SMALL && before + rows >= ROWS_SMALL;
  }
}

/**
 * Lets the server count a table that was small when it was counted last, or never was: by itself it would within about a minute, and until
 * then an import would look up what its rows refer to by plans that were made for the first few. The tenant's role owns no table, so it
 * is left meanwhile. Where the role that has logged in owns none, either, nothing is counted; nobody waits for another who counts.
 *
 * @param table Quoted.
 */
export function countIfSmall(table: string): CompiledQuery {
  return CompiledQuery.raw(`
    do $$
      declare
        entered text := current_setting('role');
      begin
        if (select reltuples < ${String(ROWS_SMALL)} from pg_class where oid = '${table}'::regclass) then
          perform set_config('role', 'none', true);
          analyze (skip_locked) ${table};
          perform set_config('role', entered, true);
        end if;
      end
    $$`);
}
