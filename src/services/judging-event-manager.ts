import { EventManager, EventType, type ChangeSet, type EntityMetadata, type FlushEventArgs } from '@mikro-orm/core';
import { judgedUpsert } from './native-write.js';
import { assertChange, assertFlushable } from './write-guard.js';

type Dispatch = Parameters<EventManager['dispatchEvent']>;

/**
 * MikroORM's event manager, which judges what is about to be written after every subscriber and hook has had its say: a subscriber of
 * ours would be called before those that are registered later, and these may change what it has judged.
 */
export class JudgingEventManager extends EventManager {
  /** The same listeners, judged; an event manager that judges already is returned as it is. */
  static over(manager: EventManager): JudgingEventManager {
    return manager instanceof JudgingEventManager ? manager : new JudgingEventManager(manager.getSubscribers());
  }

  override dispatchEvent(...[event, args, meta]: Dispatch): Promise<unknown> {
    const dispatched = super.dispatchEvent(event, args, meta);
    const judge = JUDGES[event];
    return judge ? Promise.resolve(dispatched).then(() => judge(args as JudgedArgs, meta)) : dispatched;
  }
}

interface JudgedArgs extends FlushEventArgs {
  readonly entity: object;
  readonly changeSet: ChangeSet<object>;
}

const again = ({ em, changeSet }: JudgedArgs): void => assertChange(em, changeSet);

const JUDGES: Readonly<Partial<Record<EventType, (args: JudgedArgs, meta: EntityMetadata | undefined) => void>>> = {
  [EventType.onFlush]: ({ em, uow }) => assertFlushable(em, uow.getChangeSets()),
  [EventType.beforeCreate]: again,
  [EventType.beforeUpdate]: again,
  [EventType.beforeDelete]: again,
  [EventType.beforeUpsert]({ em, entity }, meta) {
    if (meta) judgedUpsert(em, meta, entity);
  },
};
