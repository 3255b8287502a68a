import {
  type ChangeSet,
  ChangeSetType,
  type EntityClass,
  type EntityManager,
  type EntityMetadata,
  Utils,
} from '@mikro-orm/core';
import { Message } from '../entities/message.js';
import { optionalTenantIdOf, tenantIdOf } from '../entities/tenant-limit.js';
import { mayFollow, statesOf } from '../entities/states.js';
import { TenantOwned } from '../entities/tenant-owned.js';
import {
  InvalidStateError,
  ReferenceNotFoundError,
  TenantMismatchError,
  ValidationError,
  type ValidationIssue,
} from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { noteChange } from '../repositories/change-capture.js';
import { isId } from '../repositories/id.js';
import { labelOf } from '../repositories/label.js';
import { runtimeOf } from '../runtime.js';
import { sequenceIssues } from './dense-sequence.js';

/**
 * One row that is about to be written, by a flush or by a statement beside the unit of work. Whatever way it goes, it passes
 * {@link assertWritable}: nothing invalid, nothing of another tenant, and no accepted message a second time.
 */
export interface Write {
  readonly meta: EntityMetadata;
  readonly type: 'insert' | 'update' | 'delete';
  /** The row's properties: an entity, or plain data. Not asked for when it is deleted. */
  readonly row: object;
  /** The properties at hand, where they are not all. */
  readonly atHand?: ReadonlySet<string>;
  /** Those that change, where they are not all. */
  readonly changed?: ReadonlySet<string>;
  /** The ids of the tenants that the row belongs to now and afterwards. */
  readonly owners: readonly unknown[];
  /** Of one among several rows that a caller gave: what its issues' paths begin with, such as `rows.3.`. */
  readonly path?: string;
}

/** What is wrong with rows of an entity. */
export interface Broken {
  readonly entity: string;
  readonly issues: readonly ValidationIssue[];
}

/** @throws TenantMismatchError, InvalidStateError, ValidationError with every broken rule, ReferenceNotFoundError. */
export function assertWritable(em: EntityManager, writes: readonly Write[], others: readonly Broken[] = []): void {
  for (const write of writes) {
    assertOwnTenant(em, write);
    assertUnchanged(write);
    assertFollows(em, write);
  }
  const judged = writes.map((write): Broken => ({ entity: write.meta.className, issues: issuesOf(em, write) }));
  const broken = [...judged, ...others].filter(({ issues }) => issues.length > 0);
  if (broken.length > 0) {
    const entities = [...new Set(broken.map(({ entity }) => entity))];
    throw new ValidationError(
      entities.join(' and '),
      broken.flatMap(({ issues }) => issues),
    );
  }
  for (const write of writes) if (write.type !== 'delete') assertReferences(em, write);
}

/** Judges what a flush is about to write. */
export function assertFlushable(em: EntityManager, changes: readonly ChangeSet<object>[]): void {
  const writes = changes.map((change) => writeOf(em, change));
  assertWritable(em, writes, [{ entity: Message.name, issues: sequenceIssues(changes) }]);
  for (const write of writes) noteWrite(em, write);
}

/** Tells whoever listens to changes of a tenant's rows. */
export function noteWrite(em: EntityManager, { meta, type, row }: Write, isUpsert = false): void {
  const tenantId = optionalTenantIdOf(em);
  if (tenantId === undefined) return;
  const { id } = row as { readonly id?: unknown };
  const entity = meta.class as EntityClass<object>;
  noteChange(em, { tenantId, entity, type, isUpsert, ...(typeof id === 'string' && { ids: [id] }) });
}

/**
 * Judges entities that MikroORM cannot compare with what they were, such as one with a bigint inside its JSON: a flush fails at the
 * first of them, before it comes to the rules. `made` are those that were to be inserted.
 */
export function assertComparable(em: EntityManager, made: readonly object[]): void {
  const metaOf = (entity: object) => em.getMetadata().get(entity.constructor as EntityClass<object>) as EntityMetadata;
  const kept = [...em.getUnitOfWork().getIdentityMap().values()].filter(
    (entity) => !made.includes(entity) && !isComparable(em, entity),
  );
  assertWritable(em, [
    ...made.map((row): Write => ({ meta: metaOf(row), type: 'insert', row, owners: ownersOf(metaOf(row), [row]) })),
    ...kept.map((row): Write => {
      const meta = metaOf(row);
      return { meta, type: 'update', row, owners: ownersOf(meta, [row]), atHand: loadedProperties(row) };
    }),
  ]);
}

function isComparable(em: EntityManager, entity: object): boolean {
  try {
    em.getComparator().prepareEntity(entity);
    return true;
  } catch {
    return false;
  }
}

/** Judges one change again, after somebody else had a hand in it. */
export function assertChange(em: EntityManager, change: ChangeSet<object>): void {
  assertWritable(em, [writeOf(em, change)]);
}

/** @throws TenantMismatchError when an entity, or what is only a reference to one, is another tenant's. */
export function assertReachable(em: EntityManager, entity: object): void {
  const meta = em.getMetadata().get(entity.constructor as EntityClass<object>) as EntityMetadata;
  assertOwnTenant(em, { meta, owners: ownersOf(meta, [entity, em.getUnitOfWork().getOriginalEntityData(entity)]) });
}

/** Whether the rows of an entity belong to a tenant. */
export function isTenantOwned({ class: entity }: EntityMetadata): boolean {
  return entity.prototype instanceof TenantOwned;
}

function writeOf(em: EntityManager, { meta, type, entity, payload }: ChangeSet<object>): Write {
  // A row that was taken over from another tenant has changed its own.
  const owners = ownersOf(meta, [entity, em.getUnitOfWork().getOriginalEntityData(entity), payload]);
  if (type === ChangeSetType.CREATE) return { meta, type: 'insert', row: entity, owners };
  if (type === ChangeSetType.DELETE || type === ChangeSetType.DELETE_EARLY) {
    return { meta, type: 'delete', row: entity, owners };
  }
  const changed = new Set(Object.keys(payload));
  return { meta, type: 'update', row: entity, owners, changed, atHand: loadedProperties(entity) };
}

function ownersOf(meta: EntityMetadata, sources: readonly (object | undefined)[]): unknown[] {
  const owner = isTenantOwned(meta) ? 'tenant' : 'id';
  return sources.flatMap((source) =>
    source && owner in source ? [idOf((source as Record<string, unknown>)[owner])] : [],
  );
}

/** A rule may look at two properties, so all are judged but those that were not loaded. */
function loadedProperties(entity: object): Set<string> {
  return new Set(Object.keys(entity).filter((key) => (entity as Record<string, unknown>)[key] !== undefined));
}

/** The id that a reference to a tenant names. */
export function idOf(reference: unknown): unknown {
  const entity = Utils.isEntity(reference, true) ? unwrapped(reference) : undefined;
  return entity ? (entity as { id?: unknown }).id : reference;
}

function unwrapped(reference: object): object {
  return 'unwrap' in reference && typeof reference.unwrap === 'function' ? (reference.unwrap() as object) : reference;
}

/** The rows of a tenant belong to the tenant of the entity manager; where it has one, no other tenant can be reached either. */
function assertOwnTenant(em: EntityManager, { meta, owners }: Pick<Write, 'meta' | 'owners'>): void {
  const limit = optionalTenantIdOf(em);
  if (limit === undefined && !isTenantOwned(meta)) return;
  const tenantId = tenantIdOf(em);
  if (owners.some((owner) => owner !== tenantId)) throw new TenantMismatchError(meta.className);
}

/** A message that was changed or removed would leave a gap, or another history than the one that was acknowledged. */
function assertUnchanged({ meta, type, row }: Write): void {
  if (meta.class !== Message || type === 'insert') return;
  const { id } = row as { readonly id?: unknown };
  throw new InvalidStateError('message', typeof id === 'string' ? id : '*', 'accepted', 'be changed or removed');
}

/** A state that has ended stays what it is, however the row is written. */
function assertFollows(em: EntityManager, { meta, type, row, changed }: Write): void {
  const states = type === 'update' ? statesOf(meta.class as EntityClass<object>) : undefined;
  if (!states || changed?.has(states.property) === false || !Utils.isEntity(row)) return;
  const original = em.getUnitOfWork().getOriginalEntityData(row) as Record<string, unknown> | undefined;
  const [from, to] = [original?.[states.property], (row as Record<string, unknown>)[states.property]];
  if (typeof from !== 'string' || typeof to !== 'string' || mayFollow(states.machine, from, to)) return;
  // What is no state at all breaks a rule.
  if (!(to in states.machine)) return;
  const { id } = row as { readonly id?: unknown };
  throw new InvalidStateError(labelOf(meta.className), String(id), from, `be ${to}`);
}

function issuesOf(em: EntityManager, write: Write): ValidationIssue[] {
  const { meta, type, row, atHand, changed, path = '' } = write;
  if (type === 'delete') return [];
  const rules = runtimeOf(em).rules.of(meta.class as EntityClass<object>);
  // A new row that takes the place of one that is there meets what it does not name.
  const met = type === 'insert' ? changed : atHand;
  const lacking = changed && met ? rules.issuesOfLacking(changed, met) : [];
  return [...rules.issues(row, atHand, path), ...missingReferences(write), ...lacking];
}

/** References that a row must have, by its mapping; the database would name one of them, and only after all else. */
function missingReferences({ meta, type, row, atHand, path = '' }: Write): ValidationIssue[] {
  return meta.relations.flatMap(({ name, nullable, primary }) => {
    const isJudged = type === 'insert' || !atHand || atHand.has(name);
    const reference = (row as Record<string, unknown>)[name];
    if (nullable || primary || !isJudged || (reference !== null && reference !== undefined)) return [];
    return [brokenRule(path + name, 'notNull', reference)];
  });
}

/** What is no id names no row, and an engine that keeps ids as such would not even ask; another tenant's row is none here. */
function assertReferences(em: EntityManager, { meta, row }: Write): void {
  for (const { name, targetMeta } of meta.relations) {
    const key = keyOf((row as Record<string, unknown>)[name]);
    if (key === undefined) continue;
    const isOwn = !targetMeta || !isTenantOwned(targetMeta) || (key.length === 2 && key[0] === tenantIdOf(em));
    const id = key.at(-1);
    if (!isOwn || !isId(id)) throw new ReferenceNotFoundError();
  }
}

/** The key that a reference names, tenant first; undefined where there is no reference. */
export function keyOf(reference: unknown): readonly unknown[] | undefined {
  if (reference === null || reference === undefined) return undefined;
  if (Array.isArray(reference)) return reference.flat().map(idOf);
  if (Utils.isPlainObject(reference) || Utils.isEntity(reference, true)) {
    const { tenant, id } = unwrapped(reference) as { readonly tenant?: unknown; readonly id?: unknown };
    return tenant === undefined ? [id] : [idOf(tenant), id];
  }
  return [reference];
}
