import {
  ChangeSetType,
  type EntityManager,
  type EventSubscriber,
  type FlushEventArgs,
  type Ref,
} from '@mikro-orm/core';
import { TenantOwned, tenantIdOf } from '../entities/tenant-owned.js';
import { ReferenceNotFoundError, TenantMismatchError, ValidationError } from '../errors.js';
import { isId } from '../repositories/id.js';
import { runtimeOf } from '../runtime.js';

/** Judges every entity that a unit of work is about to write: nothing invalid and nothing of another tenant passes that way. */
export class ValidationSubscriber implements EventSubscriber {
  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const { rules } = runtimeOf(em);
    for (const { entity } of uow.getChangeSets()) assertOwnTenant(em, entity);
    const broken = uow.getChangeSets().flatMap((change) => {
      if (change.type !== ChangeSetType.CREATE && change.type !== ChangeSetType.UPDATE) return [];
      const only = change.type === ChangeSetType.UPDATE ? new Set<string>(Object.keys(change.payload)) : undefined;
      const issues = rules.of(change.meta.class).issues(change.entity as object, only);
      return issues.length === 0 ? [] : [{ entity: change.meta.className, issues }];
    });
    if (broken.length === 0) return uow.getChangeSets().forEach(({ meta, entity }) => assertReferences(meta, entity));
    const entities = [...new Set(broken.map(({ entity }) => entity))];
    throw new ValidationError(
      entities.join(' and '),
      broken.flatMap(({ issues }) => issues),
    );
  }
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
  if (entity instanceof TenantOwned && entity.tenant.id !== tenantIdOf(em)) {
    throw new TenantMismatchError(entity.constructor.name);
  }
}
