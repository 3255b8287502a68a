import {
  type Configuration,
  type DeleteOptions,
  type EntityData,
  type EntityMetadata,
  type EntityName,
  EventManager,
  type FilterQuery,
  type MetadataStorage,
  type NativeInsertUpdateOptions,
  type Primary,
  type RequiredEntityData,
  type UpdateOptions,
  type UpsertManyOptions,
  type UpsertOptions,
  Utils,
} from '@mikro-orm/core';
import { type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { ValidationError } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { JudgingEventManager } from './judging-event-manager.js';
import {
  assertDeletable,
  judgedInsert,
  judgedInserts,
  judgedUpdate,
  judgedUpsert,
  judgedUpserts,
} from './native-write.js';
import { assertComparable } from './write-guard.js';

/** MikroORM's entity manager, whose writes are judged, those of a flush and those beside the unit of work alike. */
export class JudgedEntityManager extends SqlEntityManager {
  constructor(
    config: Configuration,
    driver: AbstractSqlDriver,
    metadata: MetadataStorage,
    useContext?: boolean,
    eventManager = new EventManager(config.get('subscribers')),
  ) {
    super(config, driver, metadata, useContext, JudgingEventManager.over(eventManager));
  }

  override async flush(): Promise<void> {
    // They are forgotten when it fails.
    const unit = this.getUnitOfWork();
    const made = [...unit.getPersistStack()].filter((entity) => !unit.getOriginalEntityData(entity));
    try {
      await super.flush();
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) assertComparable(this, made);
      throw error;
    }
  }

  override async insert<Entity extends object>(
    target: EntityName<Entity> | Entity,
    data?: NoInfer<RequiredEntityData<Entity> | Entity>,
    options?: NativeInsertUpdateOptions<Entity>,
  ): Promise<Primary<Entity>> {
    const meta = this.#metadataOf(target, [data ?? target]);
    const row = judgedInsert(this, meta, data ?? (target as Entity));
    return super.insert<Entity>(meta.class as EntityName<Entity>, row, options);
  }

  override async insertMany<Entity extends object>(
    target: EntityName<Entity> | Entity[],
    data?: NoInfer<RequiredEntityData<Entity>[] | Entity[]>,
    options?: NativeInsertUpdateOptions<Entity>,
  ): Promise<Primary<Entity>[]> {
    const given = data ?? (target as Entity[]);
    if (given.length === 0) return [];
    const meta = this.#metadataOf(target, given);
    const rows = judgedInserts(this, meta, given) as Entity[];
    return super.insertMany<Entity>(meta.class as EntityName<Entity>, rows, options);
  }

  override async upsert<Entity extends object, Fields extends string = string>(
    target: EntityName<Entity> | Entity,
    data?: EntityData<Entity> | NoInfer<Entity>,
    options?: UpsertOptions<Entity, Fields>,
  ): Promise<Entity> {
    const meta = this.#metadataOf(target, [data ?? target]);
    const row = judgedUpsert(this, meta, data ?? (target as Entity), options);
    return super.upsert<Entity, Fields>(meta.class as EntityName<Entity>, row, options);
  }

  override async upsertMany<Entity extends object, Fields extends string = string>(
    target: EntityName<Entity> | Entity[],
    data?: (EntityData<Entity> | NoInfer<Entity>)[],
    options?: UpsertManyOptions<Entity, Fields>,
  ): Promise<Entity[]> {
    const given = data ?? (target as Entity[]);
    if (given.length === 0) return [];
    const meta = this.#metadataOf(target, given);
    const rows = judgedUpserts(this, meta, given, options);
    return super.upsertMany<Entity, Fields>(meta.class as EntityName<Entity>, rows, options);
  }

  override async nativeUpdate<Entity extends object>(
    target: EntityName<Entity>,
    where: FilterQuery<NoInfer<Entity>>,
    data: EntityData<Entity>,
    options?: UpdateOptions<Entity>,
  ): Promise<number> {
    const values = judgedUpdate(this, this.getMetadata(target) as EntityMetadata, data);
    // The driver takes this option for em.upsert() alone, and would then ask for no condition.
    return super.nativeUpdate(target, where, values, { ...options, upsert: false } as UpdateOptions<Entity>);
  }

  override async nativeDelete<Entity extends object>(
    target: EntityName<Entity>,
    where: FilterQuery<NoInfer<Entity>>,
    options?: DeleteOptions<Entity>,
  ): Promise<number> {
    assertDeletable(this, this.getMetadata(target) as EntityMetadata);
    return super.nativeDelete(target, where, options);
  }

  /** The entity that rows are of: they may be entities themselves, and then all are of one kind. */
  #metadataOf(target: unknown, rows: readonly unknown[]): EntityMetadata {
    const [first] = rows;
    const meta = this.getMetadata().get(Utils.isEntity(first) ? classOf(first) : (target as EntityName));
    const isOther = (row: unknown): boolean => Utils.isEntity(row) && classOf(row) !== meta.class;
    if (rows.some(isOther)) {
      throw new ValidationError(meta.className, [brokenRule('rows', 'oneKind', rows)]);
    }
    return meta;
  }
}

function classOf(entity: object): EntityName {
  return entity.constructor as EntityName;
}
