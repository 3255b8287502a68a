import type { EntityManager } from '@mikro-orm/core';
import { Property } from '@mikro-orm/decorators/legacy';
import { runtimeOf } from '../runtime.js';
import { IsInstant } from './rules.js';

const now = (_entity: unknown, em: EntityManager): Date => runtimeOf(em).clock.now();

/** The instants of a row's making and of its last change: UTC, milliseconds, from the injected clock. */
export abstract class Timestamped {
  @Property({ type: 'datetime', length: 3, onCreate: now })
  @IsInstant()
  createdAt!: Date;

  @Property({ type: 'datetime', length: 3, onCreate: now, onUpdate: now })
  @IsInstant()
  updatedAt!: Date;
}
