import type { EntityClass, EntityManager } from '@mikro-orm/core';

/** Rows that a transaction writes. */
export interface Change {
  readonly tenantId: string;
  readonly entity: EntityClass<object>;
  readonly type: 'insert' | 'update' | 'delete';
  /** The rows' ids, where they are known: a statement of the caller's own may have reached any of the tenant's. */
  readonly ids?: readonly string[];
  /** Whether the row may be there already, under another id: an upsert finds it by any key. */
  readonly isUpsert?: boolean;
  /** Whether it is a message at the end of a conversation, whose change is told of, too. */
  readonly isAppend?: boolean;
}

/** Hears of every change by whatever way a row is written, before it is; the transaction may be rolled back yet. */
export type ChangeListener = (change: Change) => void;

const EXTENSION = 'colloquy/change-listener';

export function listenToChanges(em: EntityManager, listener: ChangeListener): void {
  em.config.registerExtension(EXTENSION, () => listener);
}

/** Tells whoever listens that rows are about to be written; who listens may refuse it, and then nothing is to be. */
export function noteChange(em: EntityManager, change: Change): void {
  em.config.getExtension<ChangeListener>(EXTENSION)?.(change);
}
