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
import { TenantOwned } from '../entities/tenant-owned.js';
import {
  InvalidStateError,
  ReferenceNotFoundError,
  TenantMismatchError,
  ValidationError,
  type ValidationIssue,
} from '../errors.js';
import { isId } from '../repositories/id.js';
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
}

/** @throws TenantMismatchError, InvalidStateError, ValidationError with every broken rule, ReferenceNotFoundError. */
export function assertWritable(
  em: EntityManager,
  writes: readonly Write[],
  sequence: readonly ValidationIssue[] = [],
): void {
  for (const write of writes) {
    assertOwnTenant(em, write);
    assertUnchanged(write);
  }
  const broken = writes.flatMap((write) => {
    const issues = issuesOf(em, write);
    return issues.length === 0 ? [] : [{ entity: write.meta.className, issues }];
  });
  if (sequence.length > 0) broken.push({ entity: Message.name, issues: [...sequence] });
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
  assertWritable(em, writes, sequenceIssues(changes));
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

function issuesOf(em: EntityManager, { meta, type, row, atHand, changed }: Write): ValidationIssue[] {
  if (type === 'delete') return [];
  const rules = runtimeOf(em).rules.of(meta.class as EntityClass<object>);
  // A new row that takes the place of one that is there meets what it does not name.
  const met = type === 'insert' ? changed : atHand;
  const lacking = changed && met ? rules.issuesOfLacking(changed, met) : [];
  return [...rules.issues(row, atHand), ...lacking];
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
