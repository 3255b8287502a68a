import {
  ChangeSetType,
  type EntityManager,
  type EventSubscriber,
  type FlushEventArgs,
  type Ref,
} from '@mikro-orm/core';
import { Message } from '../entities/message.js';
import { Tenant } from '../entities/tenant.js';
import { optionalTenantIdOf, tenantIdOf } from '../entities/tenant-limit.js';
import { TenantOwned } from '../entities/tenant-owned.js';
import { InvalidStateError, ReferenceNotFoundError, TenantMismatchError, ValidationError } from '../errors.js';
import { isId } from '../repositories/id.js';
import { runtimeOf } from '../runtime.js';
import { sequenceIssues } from './dense-sequence.js';

/** Judges every entity that a unit of work is about to write: nothing invalid and nothing of another tenant passes that way. */
export class ValidationSubscriber implements EventSubscriber {
  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const { rules } = runtimeOf(em);
    for (const { entity, type } of uow.getChangeSets()) {
      assertOwnTenant(em, entity);
      assertUnchanged(entity, type);
    }
    const broken = uow.getChangeSets().flatMap((change) => {
      if (change.type !== ChangeSetType.CREATE && change.type !== ChangeSetType.UPDATE) return [];
      const only = change.type === ChangeSetType.UPDATE ? loadedProperties(change.entity) : undefined;
      const issues = rules.of(change.meta.class).issues(change.entity as object, only);
      return issues.length === 0 ? [] : [{ entity: change.meta.className, issues }];
    });
    const sequence = sequenceIssues(uow.getChangeSets());
    if (sequence.length > 0) broken.push({ entity: 'Message', issues: sequence });
    if (broken.length === 0) return uow.getChangeSets().forEach(({ meta, entity }) => assertReferences(meta, entity));
    const entities = [...new Set(broken.map(({ entity }) => entity))];
    throw new ValidationError(
      entities.join(' and '),
      broken.flatMap(({ issues }) => issues),
    );
  }
}

/** A rule may look at two properties, so all are judged but those that were not loaded. */
function loadedProperties(entity: object): Set<string> {
  return new Set(Object.keys(entity).filter((key) => (entity as Record<string, unknown>)[key] !== undefined));
}

/** What is no id names no row; an engine that keeps ids as such would not even ask. */
function assertReferences(
  { relations }: { readonly relations: readonly { readonly name: string }[] },
  entity: object,
): void {
  for (const { name } of relations) {
    const reference = (entity as Record<string, Ref<{ id: string }> | null | undefined>)[name];
    if (reference && !isId(reference.unwrap().id)) throw new ReferenceNotFoundError();
  }
}

function assertOwnTenant(em: EntityManager, entity: object): void {
  const tenantId = optionalTenantIdOf(em);
  if (tenantId === undefined && !(entity instanceof TenantOwned)) return;
  const owner = entity instanceof TenantOwned ? entity.tenant.id : entity instanceof Tenant ? entity.id : tenantId;
  if (owner !== (tenantId ?? tenantIdOf(em))) throw new TenantMismatchError(entity.constructor.name);
}

/** A message that was changed or removed would leave a gap, or another history than the one that was acknowledged. */
function assertUnchanged(entity: object, type: ChangeSetType): void {
  if (entity instanceof Message && type !== ChangeSetType.CREATE) {
    throw new InvalidStateError('message', entity.id, 'accepted', 'be changed or removed');
  }
}
