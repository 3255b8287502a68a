import { query } from './engines.js';

/**
 * What `colloquy distribute` meets in the extension Citus, for where the real one cannot be had: its catalog, the functions that
 * distribute a table, and their refusals. It spreads nothing. The server must be set to allow_system_table_mods=on.
 */
const STAND_IN = [
  `insert into pg_extension values (4000000001, 'citus', 10, 'pg_catalog'::regnamespace, false, 'stand-in', null, null)`,
  `create table pg_catalog.pg_dist_partition (
     logicalrelid regclass primary key, partmethod "char" not null, repmodel "char" not null, colocatedwith text, shards integer
   )`,
  `create function pg_catalog.refuse_foreign_keys(taken regclass, allowed regclass[]) returns void language plpgsql as $$
   declare
     found name;
   begin
     select conname into found from pg_constraint
      where contype = 'f' and (conrelid = taken and confrelid <> all (allowed) or confrelid = taken and conrelid <> all (allowed));
     if found is not null then
       raise 'cannot create foreign key constraint % since relations are not colocated or not referencing a reference table', found;
     end if;
   end $$`,
  `create function create_reference_table(table_name regclass) returns void language plpgsql as $$
   begin
     perform pg_catalog.refuse_foreign_keys(table_name, array[]::regclass[]);
     insert into pg_catalog.pg_dist_partition values (table_name, 'n', 't');
   end $$`,
  `create function create_distributed_table(
     table_name regclass, distribution_column text, distribution_type text default 'hash', colocate_with text default 'default',
     shard_count integer default null
   ) returns void language plpgsql as $$
   begin
     if exists (select from pg_catalog.pg_dist_partition where logicalrelid = table_name) then
       raise 'table % is already distributed', table_name;
     end if;
     if colocate_with <> 'none' and not exists (
       select from pg_catalog.pg_dist_partition where logicalrelid = colocate_with::regclass and partmethod = 'h'
     ) then
       raise 'relation % is not distributed', colocate_with;
     end if;
     perform pg_catalog.refuse_foreign_keys(
       table_name, array(select logicalrelid from pg_catalog.pg_dist_partition) || table_name
     );
     insert into pg_catalog.pg_dist_partition values (table_name, 'h', 's', colocate_with, shard_count);
   end $$`,
];

/** Makes a database look as if it had the extension Citus. */
export async function installCitusStandIn(url: string): Promise<void> {
  for (const statement of STAND_IN) await query(url, statement);
}
