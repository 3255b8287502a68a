import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { ARCHIVE_METADATA, type ArchiveMetadata } from '../entities/archive-metadata.js';
import { Conversation, entities, IdempotencyKey, UsageRecord, VoiceSession } from '../entities/index.js';
import { hasNaturalKey, NaturalKeys } from '../repositories/natural-keys.js';
import { type AnyRow, TenantRows } from '../repositories/tenant-rows.js';
import { RowSum } from './row-sum.js';

/** What differs between two imports of the same archives, in every entity. */
const OWN_TO_THE_DATABASE: ReadonlySet<string> = new Set(['id', 'tenantId', 'createdAt', 'updatedAt']);

/** Keys tell of requests, and are forgotten; the rest is what the tenant has. */
const CONTENT = entities.filter((entity) => entity !== IdempotencyKey);

/** What of an entity cannot be taken from its metadata. */
interface Peculiarity {
  /** Properties of the row that are the moment of an import, or follow from it: whether they are null is all that counts. */
  readonly moments?: (row: AnyRow) => readonly string[];
  /** A text, and the reference whose id it repeats. */
  readonly repeats?: readonly [property: string, reference: string];
}

const PECULIARITIES: ReadonlyMap<EntityClass<object>, Peculiarity> = new Map<EntityClass<object>, Peculiarity>([
  // It is `createdAt` of the last message.
  [Conversation, { moments: () => ['lastMessageAt'] }],
  [VoiceSession, { moments: (row) => (isWithoutTime(row['metadata']) ? ['startTime', 'endTime'] : []) }],
  [UsageRecord, { repeats: ['subject', 'userId'] }],
]);

/**
 * The digest of all rows of a tenant, but for its idempotency keys, which come and go with time: equal for two imports of the same archives, on whatever engine, and for a tenant and its copy;
 * different where anything else differs. Every row is one line, `JSON.stringify([table, properties])`, and the lines are summed
 * ({@link RowSum}). The properties are those of `Row`, in the order of their names, without `id`, `tenantId`, `createdAt` and
 * `updatedAt`; a reference is the natural key of the row that it names, and a row without a natural key keeps its `id`; a time that
 * only tells when the import ran is `true`. JSON values keep the order of their keys: an export would give it back.
 */
export async function digestOf(em: SqlEntityManager, tenantId: string, signal?: AbortSignal): Promise<string> {
  const sum = new RowSum();
  const keys = new NaturalKeys(em, tenantId);
  for (const entity of CONTENT) {
    const lines = new DigestLines(new TenantRows(em, entity, tenantId), keys, PECULIARITIES.get(entity) ?? {});
    for await (const line of lines.read(signal)) sum.add(line);
  }
  return sum.digest;
}

class DigestLines {
  readonly #rows: TenantRows;
  readonly #keys: NaturalKeys;
  readonly #peculiarity: Peculiarity;
  readonly #properties: readonly string[];

  constructor(rows: TenantRows, keys: NaturalKeys, peculiarity: Peculiarity) {
    this.#rows = rows;
    this.#keys = keys;
    this.#peculiarity = peculiarity;
    this.#properties = rows.table.keys.filter((key) => !OWN_TO_THE_DATABASE.has(key)).toSorted();
  }

  async *read(signal?: AbortSignal): AsyncGenerator<string> {
    const { tableName, table } = this.#rows;
    for await (const page of this.#rows.pages()) {
      signal?.throwIfAborted();
      const keys = await this.#keys.ofReferences(table.references, page);
      for (const row of page) yield JSON.stringify([tableName, this.#canonical(row, keys)]);
    }
  }

  #canonical(row: AnyRow, keys: Awaited<ReturnType<NaturalKeys['ofReferences']>>): object {
    const { moments, repeats } = this.#peculiarity;
    const ofImport = moments?.(row) ?? [];
    const isNamed = hasNaturalKey(this.#rows.table.naturalKey, row);
    const values = (isNamed ? this.#properties : [...this.#properties, 'id'].toSorted()).map(
      (property): [string, unknown] => {
        const value = row[property];
        if (value === null || ofImport.includes(property)) return [property, value === null ? null : true];
        const reference = repeats?.[0] === property && row[repeats[1]] === value ? repeats[1] : property;
        return [property, keys.get(reference)?.get(value as string) ?? value];
      },
    );
    return Object.fromEntries(values);
  }
}

function isWithoutTime(metadata: unknown): boolean {
  const { derived, at } = ((metadata as Record<string, unknown>)[ARCHIVE_METADATA] ?? {}) as ArchiveMetadata;
  return derived === true && at === null;
}
