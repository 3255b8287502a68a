import type { EntityManager } from '@mikro-orm/core';
import { Property } from '@mikro-orm/decorators/legacy';
import { runtimeOf } from '../runtime.js';
import { IsInstant } from './rules.js';

const now = (_entity: unknown, em: EntityManager): Date => runtimeOf(em).clock.now();

/**
 * The instants of a row's making and of its last change: UTC, milliseconds, from the injected clock. Instants are mapped as `Date`: MikroORM compares what it knows as
 * `datetime` by identity, and would write every row that it has read.
 */
export abstract class Timestamped {
  @Property({ type: 'Date', length: 3, onCreate: now })
  @IsInstant()
  createdAt!: Date;

  @Property({ type: 'Date', length: 3, onCreate: now, onUpdate: now })
  @IsInstant()
  updatedAt!: Date;
}
