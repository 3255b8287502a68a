import { LockMode } from '@mikro-orm/core';
import { SqlEntityRepository, type SqlEntityManager } from '@mikro-orm/sql';
import { isStorable } from '../entities/rules.js';
import { Tenant } from '../entities/tenant.js';
import { NotFoundError } from '../errors.js';
import { textKey } from './allowed-properties.js';
import { type CompiledTable, compiledTableOf, type Row } from './compiled-table.js';
import { type Page, type PageRequest, resolvePage, toPage } from './page.js';
import { runStatement } from './statement.js';

/** Tenants, which belong to no tenant themselves. */
export class TenantRepository extends SqlEntityRepository<Tenant> {
  readonly #table: CompiledTable<Tenant>;

  constructor(em: SqlEntityManager) {
    super(em, Tenant);
    this.#table = compiledTableOf(em, Tenant);
  }

  /** @throws NotFoundError when there is no such tenant. */
  async get(slug: string): Promise<Tenant> {
    const found = await this.findBySlug(textKey('Tenant', 'slug', slug));
    if (!found) throw new NotFoundError('tenant', slug);
    return found;
  }

  /** {@link get}, with the row locked until the transaction ends. */
  async getForChange(slug: string): Promise<Tenant> {
    const key = textKey('Tenant', 'slug', slug);
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE };
    const found = isStorable(key) ? await this.findOne({ slug }, lock) : null;
    if (!found) throw new NotFoundError('tenant', slug);
    return found;
  }

  /** The tenant of this slug, managed; null where there is none. */
  async findBySlug(slug: string): Promise<Tenant | null> {
    return isStorable(slug) ? this.findOne({ slug }) : null;
  }

  async readBySlug(slug: string): Promise<Row<Tenant> | undefined> {
    if (!isStorable(slug)) return undefined;
    const sql = `select ${this.#table.columns} from ${this.#table.name} where ${this.#table.column('slug')} = ?`;
    const [row] = await runStatement<Record<string, unknown>>(this.em, sql, [slug]);
    return row && this.#table.toRow(row);
  }

  /** Tenants in the order in which they were made, the oldest first. */
  async readPage(request: PageRequest = {}): Promise<Page<Row<Tenant>>> {
    const { after, limit } = resolvePage(request);
    const id = this.#table.column('id');
    const sql = `select ${this.#table.columns} from ${this.#table.name} ${after === undefined ? '' : `where ${id} > ?`} order by ${id} limit ?`;
    const values = after === undefined ? [limit + 1] : [after, limit + 1];
    const rows = await runStatement<Record<string, unknown>>(this.em, sql, values);
    return toPage(rows, limit, (row) => this.#table.toRow(row));
  }

  toRow(tenant: Tenant): Row<Tenant> {
    return this.#table.fromEntity(tenant);
  }
}
