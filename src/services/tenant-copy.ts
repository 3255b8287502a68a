import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { entities } from '../entities/index.js';
import { Tenant } from '../entities/tenant.js';
import { CopyRefusedError, NotFoundError, type RowDifference } from '../errors.js';
import { compiledTableOf } from '../repositories/compiled-table.js';
import { writeFreeKey } from '../repositories/race.js';
import { type AnyRow, TenantRows } from '../repositories/tenant-rows.js';
import { runtimeOf } from '../runtime.js';
import type { CopyEnd, CopyProgress, TenantCopyReport } from './copy.js';
import { RowSum } from './row-sum.js';
import type { WriteOptions } from './transactions.js';

/** How many differences are named. */
const DIFFERENCES_MAX = 20;

/** A tenant that is suspended, or has all that it may have, is copied as it is. */
const OPERATOR: WriteOptions = { asOperator: true };

interface CopiedTenant {
  readonly id: string;
  readonly slug: string;
}

/**
 * Copies one tenant as its database has it at one moment, ids and times included:
 *
 *     compare what the target has already ──> write what it lacks, batch by batch ──> read it all again and compare the digests
 *
 * A batch is one transaction, and a row that is there is not written, so a copy that ended anywhere is completed by the next one.
 */
export class TenantCopy {
  readonly #source: CopyEnd;
  readonly #target: CopyEnd;
  readonly #tenant: CopiedTenant;
  readonly #onRows: (step: CopyProgress['step'], rows: number) => void;

  /** `onRows` is told how many rows a batch had; what it throws ends the copy. */
  constructor(
    source: CopyEnd,
    target: CopyEnd,
    tenant: CopiedTenant,
    onRows: (step: CopyProgress['step'], rows: number) => void,
  ) {
    this.#source = source;
    this.#target = target;
    this.#tenant = tenant;
    this.#onRows = onRows;
  }

  /** @throws CopyRefusedError */
  async run(): Promise<TenantCopyReport> {
    return this.#source.transactions.snapshot(this.#tenant.id, async ({ em }) => {
      const originals = inReferenceOrder(em).map((entity) => new TenantRows(em, entity, this.#tenant.id));
      await this.#assertNothingElse(originals);
      const sum = new RowSum();
      const rows: Record<string, number> = {};
      let [added, present] = [0, 0];
      for (const table of originals) {
        rows[table.tableName] = 0;
        for await (const page of table.pages()) {
          for (const row of page) sum.add(exactLine(table, row));
          const written = await this.#write(table.entity, page);
          added += written;
          present += page.length - written;
          rows[table.tableName] = (rows[table.tableName] ?? 0) + page.length;
          this.#onRows('copying', page.length);
        }
      }
      const isEqual = (await this.#targetDigest(originals)) === sum.digest;
      const differences = isEqual ? [] : await this.#differences(originals);
      return { tenant: this.#tenant.slug, rows, added, present, exactDigest: sum.digest, isEqual, differences };
    });
  }

  /** What the target has of this tenant must be a copy already; that it is another tenant of the same slug is found out here too. */
  async #assertNothingElse(originals: readonly TenantRows[]): Promise<void> {
    const { id, slug } = this.#tenant;
    const there = await this.#target.tenants.get(slug).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
    if (there && there.id !== id) {
      const difference: RowDifference = { table: 'tenants', id: there.id, problem: 'unexpected', properties: [] };
      throw new CopyRefusedError(slug, 'other tenant', [difference]);
    }
    const differences = await this.#surplus(originals);
    if (differences.length > 0) throw new CopyRefusedError(slug, 'other rows', differences);
  }

  /** Writes what the target lacks of a page, and returns how many rows that were. */
  async #write(entity: EntityClass<object>, page: readonly AnyRow[]): Promise<number> {
    // A tenant cannot make itself.
    const writer = entity === Tenant ? undefined : this.#tenant.id;
    return this.#target.transactions.write(
      writer,
      async ({ em }) => {
        const copies = new TenantRows(em, entity, this.#tenant.id);
        const present = new Set((await copies.readKeysByIds(page.map(({ id }) => id))).map(({ id }) => id));
        const missing = page.filter(({ id }) => !present.has(id));
        this.#assertValid(em, copies, missing);
        // Another process may copy the same rows.
        await writeFreeKey(() => copies.insert(missing));
        return missing.length;
      },
      OPERATOR,
    );
  }

  #assertValid(em: SqlEntityManager, { entity, tableName }: TenantRows, rows: readonly AnyRow[]): void {
    const rules = runtimeOf(em).rules.of(entity);
    for (const row of rows) {
      const issues = rules.issues(row);
      if (issues.length === 0) continue;
      const properties = issues.map(({ path }) => path);
      const difference: RowDifference = { table: tableName, id: row.id, problem: 'invalid', properties };
      throw new CopyRefusedError(this.#tenant.slug, 'invalid row', [difference], issues);
    }
  }

  async #targetDigest(originals: readonly TenantRows[]): Promise<string> {
    const sum = new RowSum();
    await this.#readTarget(originals, async (copies, page) => {
      for (const row of page) sum.add(exactLine(copies, row));
      this.#onRows('verifying', page.length);
      return true;
    });
    return sum.digest;
  }

  /** Rows of the target that the source does not have, or has otherwise. */
  async #surplus(originals: readonly TenantRows[]): Promise<RowDifference[]> {
    const found: RowDifference[] = [];
    await this.#readTarget(originals, async (copies, page, originalsOfTable) => {
      const stored = await originalsOfTable.readByIds(page.map(({ id }) => id));
      for (const row of page) {
        const original = stored.get(row.id);
        const properties = original ? differingProperties(copies, original, row) : [];
        const problem = original ? 'different' : 'unexpected';
        if (!original || properties.length > 0)
          found.push({ table: copies.tableName, id: row.id, problem, properties });
      }
      this.#onRows('verifying', 0);
      return found.length < DIFFERENCES_MAX;
    });
    return found.slice(0, DIFFERENCES_MAX);
  }

  async #differences(originals: readonly TenantRows[]): Promise<RowDifference[]> {
    const found = await this.#surplus(originals);
    for (const original of originals) {
      for await (const page of original.pages()) {
        if (found.length >= DIFFERENCES_MAX) return found.slice(0, DIFFERENCES_MAX);
        const ids = page.map(({ id }) => id);
        const present = await this.#target.transactions.read(this.#tenant.id, ({ em }) =>
          new TenantRows(em, original.entity, this.#tenant.id).readByIds(ids),
        );
        const { tableName: table } = original;
        const missing = ids.filter((id) => !present.has(id));
        found.push(...missing.map((id): RowDifference => ({ table, id, problem: 'missing', properties: [] })));
      }
    }
    return found.slice(0, DIFFERENCES_MAX);
  }

  /** Reads all that the target has, as it is at one moment, until `visit` says that it is enough. */
  async #readTarget(
    originals: readonly TenantRows[],
    visit: (copies: TenantRows, page: readonly AnyRow[], original: TenantRows) => Promise<boolean>,
  ): Promise<void> {
    await this.#target.transactions.snapshot(this.#tenant.id, async ({ em }) => {
      for (const original of originals) {
        const copies = new TenantRows(em, original.entity, this.#tenant.id);
        for await (const page of copies.pages()) if (!(await visit(copies, page, original))) return;
      }
    });
  }
}

/** A row with all that its table has, ids and times too: what a copy must not change. */
function exactLine({ tableName }: TenantRows, row: AnyRow): string {
  return JSON.stringify([tableName, row]);
}

function differingProperties({ table }: TenantRows, original: AnyRow, copy: AnyRow): string[] {
  return table.keys.filter((key) => JSON.stringify(original[key]) !== JSON.stringify(copy[key]));
}

/** Every entity after those that its rows refer to. */
function inReferenceOrder(em: SqlEntityManager): EntityClass<object>[] {
  const ordered: EntityClass<object>[] = [];
  const visit = (entity: EntityClass<object>): void => {
    if (ordered.includes(entity)) return;
    const { references } = compiledTableOf(em, entity);
    for (const referenced of references.values()) if (referenced !== entity) visit(referenced);
    ordered.push(entity);
  };
  for (const entity of entities) visit(entity);
  return ordered;
}
