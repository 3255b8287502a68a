import type { Engine } from '../database/engine.js';
import type { Tenant } from '../entities/tenant.js';
import { ConfigurationError, type RowDifference } from '../errors.js';
import type { Row } from '../repositories/compiled-table.js';
import { readStats } from './stats.service.js';
import { TenantCopy } from './tenant-copy.js';
import type { TenantsService } from './tenants.service.js';
import type { Transactions } from './transactions.js';

export interface CopyOptions {
  /** The slug of the only tenant to copy; all of them unless given. */
  readonly tenant?: string | undefined;
  /** Ends the copy between two batches; copying again completes it. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

export interface CopyProgress {
  readonly tenant: string;
  readonly step: 'copying' | 'verifying';
  /** Rows that were copied or verified, of all tenants; each row is both in the end. */
  readonly done: number;
  /** What `done` comes to, as far as could be counted at the beginning. */
  readonly total: number;
}

export interface TenantCopyReport {
  readonly tenant: string;
  /** Rows of the source by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** How many of them this copy wrote, and how many were at the target already. */
  readonly added: number;
  readonly present: number;
  /** SHA-256 over the source's rows with ids and times; `digest()` leaves those out. */
  readonly exactDigest: string;
  /** Whether the target's rows have the same digest. */
  readonly isEqual: boolean;
  /** Some of the rows that differ where it is not. */
  readonly differences: readonly RowDifference[];
}

export interface CopyReport {
  /** The databases for people, without secrets. */
  readonly from: string;
  readonly to: string;
  readonly tenants: readonly TenantCopyReport[];
}

/** One end of a copy. */
export interface CopyEnd {
  readonly tenants: TenantsService;
  readonly transactions: Transactions;
  readonly engine: Engine;
}

/** Copies tenants from one database to another; see `PersistenceManager.copyTo`. */
export async function copyTenants(source: CopyEnd, target: CopyEnd, options: CopyOptions): Promise<CopyReport> {
  if (await areOne(source, target))
    throw new ConfigurationError(['a database cannot be copied to itself; name two different ones']);
  const total = 2 * (await countRows(source, options.tenant));
  let done = 0;
  const tenants: TenantCopyReport[] = [];
  const selected = options.tenant === undefined ? everyTenant(source) : [await source.tenants.get(options.tenant)];
  for await (const tenant of selected) {
    const onRows = (step: CopyProgress['step'], rows: number): void => {
      options.signal?.throwIfAborted();
      options.onProgress?.({ tenant: tenant.slug, step, done: (done += rows), total });
    };
    tenants.push(await new TenantCopy(source, target, tenant, onRows).run());
  }
  return { from: source.engine.description, to: target.engine.description, tenants };
}

async function areOne(source: CopyEnd, target: CopyEnd): Promise<boolean> {
  if (source.engine === target.engine) return true;
  const [from, to] = await Promise.all([identityOf(source), identityOf(target)]);
  return from !== undefined && from === to;
}

async function identityOf({ transactions, engine }: CopyEnd): Promise<string | undefined> {
  return transactions.read(undefined, async ({ em }) => (engine.identity ? engine.identity(em) : engine.description));
}

async function countRows({ tenants, transactions, engine }: CopyEnd, slug: string | undefined): Promise<number> {
  const tenant = slug === undefined ? undefined : await tenants.get(slug);
  const { rows } = await readStats(transactions, engine, tenant?.id);
  return Object.values(rows).reduce((sum, count) => sum + count, 0);
}

async function* everyTenant({ tenants }: CopyEnd): AsyncGenerator<Row<Tenant>> {
  let after: string | undefined;
  do {
    const { items, next } = await tenants.list({ after });
    yield* items;
    after = next ?? undefined;
  } while (after !== undefined);
}
