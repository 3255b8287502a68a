import { type EntityClass, LockMode, type Primary, type Ref } from '@mikro-orm/core';
import { SqlEntityRepository, type SqlEntityManager } from '@mikro-orm/sql';
import { tenantIdOf } from '../entities/tenant-limit.js';
import type { TenantOwned } from '../entities/tenant-owned.js';
import type { RuleSet } from '../entities/rule-book.js';
import { NotFoundError, ValidationError, type ValidationIssue, VersionConflictError } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { type Runtime, runtimeOf } from '../runtime.js';
import { givenProperties, textKey } from './allowed-properties.js';
import { type CompiledTable, compiledTableOf, type Row } from './compiled-table.js';
import { isId } from './id.js';
import type { Page, PageRequest } from './page.js';
import { byId, page, pageOf } from './read-plans.js';
import { runPlanIn, runStatement } from './statement.js';

export interface ChangeOptions {
  /** The version that the change was made for: when the row has another one by now, nothing is written. */
  readonly ifVersion?: number | undefined;
}

/**
 * A repository of one tenant's rows. It adds to MikroORM's the tenant, and the reads that bypass the identity map: `get` and `find*`
 * give managed entities, `read*` give plain rows by compiled statements.
 */
export abstract class TenantOwnedRepository<Entity extends TenantOwned> extends SqlEntityRepository<Entity> {
  protected readonly entity: EntityClass<Entity>;
  protected readonly table: CompiledTable<Entity>;

  constructor(em: SqlEntityManager, entity: EntityClass<Entity>) {
    super(em, entity);
    this.entity = entity;
    this.table = compiledTableOf(em, entity);
  }

  /** The tenant that this repository works for. */
  get tenantId(): string {
    return tenantIdOf(this.em);
  }

  /** An entity as its class makes it: the values of what nobody sets. */
  get #defaults(): object {
    const create = this.entity as unknown as new () => object;
    return new create();
  }

  protected get runtime(): Runtime {
    return runtimeOf(this.em);
  }

  protected get rules(): RuleSet {
    return this.runtime.rules.of(this.entity);
  }

  /** A reference to a row of this tenant, without reading it. */
  ref(id: string): Ref<Entity> {
    const key = [this.tenantId, textKey(this.entity.name, 'id', id)];
    return this.em.getReference(this.entity, key as unknown as Primary<Entity>, { wrapped: true });
  }

  /** @throws NotFoundError when the tenant has no such row. */
  async get(id: string): Promise<Entity> {
    return this.#find(id);
  }

  /**
   * {@link get}, with the row locked until the transaction ends: what is read here is what is changed, also when others change it.
   *
   * @throws NotFoundError when the tenant has no such row.
   */
  async getForChange(id: string): Promise<Entity> {
    return this.#find(id, this.lock);
  }

  async #find(id: string, options: { readonly lockMode?: LockMode.PESSIMISTIC_WRITE } = {}): Promise<Entity> {
    const where = { tenant: this.tenantId, id } as never;
    const found = isId(textKey(this.entity.name, 'id', id)) ? await this.em.findOne(this.entity, where, options) : null;
    if (!found) throw new NotFoundError(this.label, id);
    return found;
  }

  /**
   * Makes a managed entity of what a caller gave, and of what the service adds; it is inserted at the next flush. `keys` are the
   * properties of the input by which it names other rows, for the service to make references of.
   *
   * @throws ValidationError with every rule that the input breaks, every property that is not `settable`, and every key that is no text.
   */
  createFrom<Key extends string = never>(
    input: unknown,
    settable: readonly (keyof Entity & string)[],
    added: (keys: Readonly<Record<Key, string>>) => Partial<Record<keyof Entity, unknown>> = () => ({}),
    keys: readonly Key[] = [],
  ): Entity {
    const { given, issues } = givenProperties(this.entity.name, input, settable, keys);
    this.#judge(given, settable, issues);
    const own = Object.fromEntries(
      Object.entries(given).filter(([name]) => !(keys as readonly string[]).includes(name)),
    );
    return this.create({ ...own, ...added(given as Record<Key, string>) } as never);
  }

  /**
   * Reads a row, sets what `changes` names and what the service adds, writes it and returns the row as it is now.
   *
   * @throws ValidationError with every broken rule, also for a property that is not `changeable`; NotFoundError, VersionConflictError.
   */
  async change(
    id: string,
    changes: unknown,
    changeable: readonly (keyof Entity & string)[],
    { ifVersion }: ChangeOptions = {},
    added: Partial<Record<keyof Entity, unknown>> = {},
  ): Promise<Row<Entity>> {
    const { given, issues } = givenProperties(this.entity.name, changes, changeable);
    const isVersion = ifVersion === undefined || Number.isSafeInteger(ifVersion);
    // Rules that compare what changes with what does not are asked again when it is written.
    this.#judge(given, Object.keys(given), [
      ...(typeof id === 'string' ? [] : [brokenRule('id', 'isString', id)]),
      ...(isVersion ? [] : [brokenRule('ifVersion', 'version', ifVersion)]),
      ...issues,
    ]);
    const entity = await this.getForChange(id);
    const { version } = entity as { version?: number };
    if (ifVersion !== undefined && version !== ifVersion) throw new VersionConflictError(this.label, id, version);
    Object.assign(entity, given, added);
    await this.em.flush();
    return this.toRow(entity);
  }

  /** @throws ValidationError with the issues so far, and with those of the properties, beside what the class sets by itself. */
  #judge(given: object, properties: readonly string[], issues: readonly ValidationIssue[]): void {
    const candidate: object = Object.assign(Object.create(this.#defaults), given);
    const broken = [...issues, ...this.rules.issues(candidate, new Set(properties))];
    if (broken.length > 0) throw new ValidationError(this.entity.name, broken);
  }

  /** @throws NotFoundError when the tenant has no such row. */
  async readById(id: string): Promise<Row<Entity>> {
    return runPlanIn(this.em, () => byId(this.table, this.tenantId, id));
  }

  /** Rows in the order in which they were made, the oldest first. */
  async readPage(request: PageRequest = {}): Promise<Page<Row<Entity>>> {
    return runPlanIn(this.em, () => page(this.table, this.tenantId, request));
  }

  async countRows(): Promise<number> {
    const sql = `select count(*) as total from ${this.table.name} where ${this.table.column('tenantId')} = ?`;
    const [row] = await runStatement<{ total: number | string }>(this.em, sql, [this.tenantId]);
    return Number(row?.total ?? 0);
  }

  /** A managed entity as a plain row. */
  toRow(entity: Entity): Row<Entity> {
    return this.table.fromEntity(entity);
  }

  /** What people call the entity. */
  protected get label(): string {
    return this.table.label;
  }

  protected async readOne(where: string, values: readonly unknown[]): Promise<Row<Entity> | undefined> {
    return (await this.readWhere(where, values, 'limit 1'))[0];
  }

  /** A page of the rows that refer to `id`, the newest first; empty for what is no id. */
  protected async readPageOf(
    reference: keyof Row<Entity> & string,
    id: string,
    request: PageRequest,
  ): Promise<Page<Row<Entity>>> {
    return runPlanIn(this.em, () => pageOf(this.table, this.tenantId, reference, id, request));
  }

  /** Locks the rows that a query finds until the transaction ends; nothing where there is none, or where the engine needs none. */
  protected get lock(): { readonly lockMode?: LockMode.PESSIMISTIC_WRITE } {
    return this.em.isInTransaction() ? { lockMode: LockMode.PESSIMISTIC_WRITE } : {};
  }

  /** Reads rows of this tenant. `where` and `tail` are SQL of the repository; every value is bound. */
  protected async readWhere(
    where: string,
    values: readonly unknown[],
    tail = '',
    tailValues: readonly unknown[] = [],
  ): Promise<Row<Entity>[]> {
    const tenant = `${this.table.column('tenantId')} = ?`;
    const sql = `select ${this.table.columns} from ${this.table.name} where ${tenant}${where && ` and ${where}`} ${tail}`;
    const bound = [this.tenantId, ...values, ...tailValues];
    const rows = await runStatement<Record<string, unknown>>(this.em, sql, bound);
    return rows.map((row) => this.table.toRow(row));
  }
}
