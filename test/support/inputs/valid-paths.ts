import type { EntityName } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import {
  ApiKey,
  Conversation,
  Document,
  entities,
  Message,
  Task,
  Tenant,
  UsageRecord,
  User,
  VoiceSession,
} from '../../../src/entities/index.js';
import { EXTERNAL_ID_MAX } from '../../../src/entities/rules.js';
import { isFree, statesOf } from '../../../src/entities/states.js';
import { checksumOf } from '../../../src/services/documents.service.js';
import type { PersistenceManager } from '../../../src/services/persistence-manager.js';
import { createIdSource } from '../../../src/runtime.js';
import type { Furnished } from '../furnish.js';
import { fakeClock, seededRandom } from '../sources.js';
import type { AnyEntity } from './rules-of.js';

interface World {
  readonly persistence: PersistenceManager;
  readonly acme: Furnished;
}

export type Values = Readonly<Record<string, unknown>>;

/** Writes rows, and returns their ids in the same order. */
type Write = (world: World, entity: AnyEntity, rows: readonly Values[]) => Promise<string[]>;

export interface ValidPath {
  readonly name: string;
  readonly entity: AnyEntity;
  readonly write: Write;
}

const anything = (value: unknown): never => value as never;
const nameOf = (entity: AnyEntity): EntityName<object> => entity as EntityName<object>;
const idOf = (row: object): string => (row as { id: string }).id;

/** In a unit of work of the tenant; of no tenant for tenants themselves. */
export async function withRows<T>(
  { persistence, acme }: World,
  entity: AnyEntity,
  work: (em: SqlEntityManager) => Promise<T>,
): Promise<T> {
  if (entity === Tenant) return persistence.withEntityManager((em) => em.transactional((fork) => work(fork as never)));
  return acme.tenant.transaction(({ em }) => work(em));
}

let made = 0;
const ids = createIdSource(fakeClock(), seededRandom(4));

/** An upsert refuses the key that MikroORM would lose; nothing else of a value is changed. */
function withoutProtoKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProtoKeys);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const kept = Object.entries(value).filter(([name]) => name !== '__proto__');
  return Object.fromEntries(kept.map(([name, item]) => [name, withoutProtoKeys(item)]));
}

/** What makes the values a row of the tenant that is unlike all others: references, keys, and what rules compare. */
export function asRow(entity: AnyEntity, values: Values, acme: Furnished): Values {
  const number = String((made += 1));
  const unlike = (value: unknown, max: number): string =>
    `${String(value).slice(0, max - number.length - 1)}#${number}`.toWellFormed();
  const user = [acme.tenantId, acme.userId];
  const row: Record<string, unknown> = { ...values };
  if (entity === Tenant) row['slug'] = `${String(values['slug']).slice(0, 50)}-${number}`;
  if (typeof row['externalId'] === 'string') row['externalId'] = unlike(row['externalId'], EXTERNAL_ID_MAX);
  if (typeof row['idempotencyKey'] === 'string') row['idempotencyKey'] = unlike(row['idempotencyKey'], EXTERNAL_ID_MAX);
  if (typeof row['email'] === 'string')
    row['email'] = `${number}-${row['email'].replace(/^.*(?=@)/, (name) => name.slice(0, 50).replace(/\.$/, ''))}`;
  if (entity === UsageRecord) row['model'] = unlike(row['model'], 200);
  if (entity === ApiKey) row['prefix'] = number.padStart(12, 'p');
  if (entity === Conversation || entity === VoiceSession) row['user'] = user;
  if (entity === Task) row['workflowId'] = unlike(row['workflowId'], EXTERNAL_ID_MAX);
  if (entity === VoiceSession || entity === Task) {
    const { startTime, endTime } = row as { startTime: Date | null; endTime: Date | null };
    if (startTime && endTime && endTime < startTime) Object.assign(row, { startTime: endTime, endTime: startTime });
  }
  if (entity === Message) {
    row['conversation'] = [acme.tenantId, acme.conversationId];
    const { content, modality, parts } = row as { content: string; modality: string; parts: unknown[] | null };
    if (content === '' && modality !== 'voice' && !parts?.length) row['content'] = 'not empty';
  }
  return row;
}

const byUnitOfWork: Write = (world, entity, rows) =>
  withRows(world, entity, async (em) => {
    const created = rows.map((row) => em.create(nameOf(entity), anything(row)));
    if (entity === Message) {
      const conversation = await em.findOneOrFail(Conversation, { id: world.acme.conversationId });
      for (const message of created as Message[]) message.seq = conversation.messageCount += 1;
    }
    await em.flush();
    return created.map(idOf);
  });

const STAMPS = { createdAt: new Date('2026-01-01T12:00:00.001Z'), updatedAt: new Date('2026-01-01T12:00:00.999Z') };

const byInsertMany: Write = (world, entity, rows) =>
  withRows(world, entity, async (em) => {
    const stamped = rows.map((row) => ({ ...row, ...STAMPS, id: ids.next() }));
    await em.insertMany(nameOf(entity), anything(stamped));
    return stamped.map(idOf);
  });

const byUpsertMany: Write = (world, entity, rows) =>
  withRows(world, entity, async (em) => {
    const stamped = rows.map((row) => ({
      ...(withoutProtoKeys(withoutState(entity, row)) as Values),
      ...STAMPS,
      id: ids.next(),
    }));
    await em.upsertMany(nameOf(entity), anything(stamped));
    return stamped.map(idOf);
  });

const byNativeUpdate: Write = async (world, entity, rows) => {
  const given = await byInsertMany(world, entity, rows);
  await withRows(world, entity, async (em) => {
    for (const [index, id] of given.entries()) {
      await em.nativeUpdate(nameOf(entity), anything({ id }), anything(withoutState(entity, rows[index] ?? {})));
    }
  });
  return given;
};

const byAppend: Write = ({ acme }, _entity, rows) =>
  acme.tenant.transaction(async ({ messages }) => {
    const appended: string[] = [];
    for (const { idempotencyKey, conversation: _conversation, ...input } of rows) {
      const options = idempotencyKey === null ? {} : { idempotencyKey: idempotencyKey as string };
      appended.push((await messages.append(acme.conversationId, anything(input), options)).id);
    }
    return appended;
  });

/** By a service's call, one row at a time in one transaction. */
function byService(create: (world: World, row: Values) => Promise<{ readonly id: string }>): Write {
  return (world, _entity, rows) =>
    world.persistence.transaction(async () => {
      const created: string[] = [];
      for (const row of rows) created.push((await create(world, row)).id);
      return created;
    });
}

function pick(row: Values, ...names: readonly string[]): never {
  return anything(Object.fromEntries(names.map((name) => [name, row[name]])));
}

const SERVICES: readonly ValidPath[] = [
  {
    name: 'users.create and update',
    entity: User,
    write: byService(async ({ acme }, row) => {
      const { id } = await acme.tenant.users.create(pick(row, 'externalId', 'username'));
      const profile = pick(row, 'username', 'nickname', 'email', 'phone', 'metadata', 'role', 'status');
      return acme.tenant.users.update(id, profile);
    }),
  },
  {
    name: 'documents.create and update',
    entity: Document,
    write: byService(async ({ acme }, row) => {
      const text = ['title', 'content', 'contentType', 'source', 'metadata'] as const;
      const { id } = await acme.tenant.documents.create(pick(row, 'externalId', ...text));
      return acme.tenant.documents.update(id, pick(row, 'status'));
    }),
  },
];

/** Messages continue a sequence, and search is told of documents: beside the unit of work neither can be written. */
const KEPT: ReadonlySet<AnyEntity> = new Set([Message, Document]);

export const VALID_PATHS: readonly ValidPath[] = [
  ...entities.map((entity) => ({ name: `units of work, ${entity.name}`, entity, write: byUnitOfWork })),
  { name: 'messages.append', entity: Message, write: byAppend },
  ...SERVICES,
  ...entities.flatMap((entity) =>
    KEPT.has(entity)
      ? []
      : [
          { name: `insertMany, ${entity.name}`, entity, write: byInsertMany },
          { name: `upsertMany, ${entity.name}`, entity, write: byUpsertMany },
          { name: `nativeUpdate, ${entity.name}`, entity, write: byNativeUpdate },
        ],
  ),
];

/** Which state follows which is judged where the row is known: beside the unit of work nobody sets one that is not free. */
function withoutState(entity: AnyEntity, row: Values): Values {
  const states = statesOf(entity);
  if (!states || isFree(states.machine)) return row;
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== states.property));
}

/** The values as they must come back: what a service computes is not what was given. */
export function expected(entity: AnyEntity, row: Values, path: ValidPath): Values {
  if (path.write === byUpsertMany) return withoutProtoKeys(withoutState(entity, row)) as Values;
  if (entity !== Document || !path.name.startsWith('documents.')) return row;
  return { ...row, checksum: checksumOf(row['content']) };
}
