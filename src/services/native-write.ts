import { type EntityManager, type EntityMetadata, type EntityProperty, ReferenceKind, Utils } from '@mikro-orm/core';
import { Document } from '../entities/document.js';
import { Tenant } from '../entities/tenant.js';
import { optionalTenantIdOf, tenantIdOf } from '../entities/tenant-limit.js';
import { TenantMismatchError, ValidationError, type ValidationIssue } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { record } from '../repositories/allowed-properties.js';
import { sequenceIssuesOf } from './dense-sequence.js';
import { assertWritable, idOf, isTenantOwned, keyOf } from './write-guard.js';

type Data = Record<string, unknown>;

/** Which properties an upsert writes where the row is there already. */
export interface ConflictOptions {
  readonly onConflictFields?: unknown;
  readonly onConflictAction?: 'ignore' | 'merge' | undefined;
  readonly onConflictMergeFields?: readonly string[] | undefined;
  readonly onConflictExcludeFields?: readonly string[] | undefined;
}

/** Judges a row that is inserted beside the unit of work, and returns it as MikroORM is to have it: with its tenant. */
export function judgedInsert<Given>(em: EntityManager, meta: EntityMetadata, given: Given): Given {
  return judgedNew(em, meta, given, true);
}

/** {@link judgedInsert} for a row that may be there already: the conflict must be one within the tenant. */
export function judgedUpsert<Given>(
  em: EntityManager,
  meta: EntityMetadata,
  given: Given,
  options: ConflictOptions = {},
): Given {
  // A tenant's other keys are unique among all tenants: the row that is there may be any of them.
  if (meta.class === Tenant && optionalTenantIdOf(em) !== undefined) throw new TenantMismatchError(meta.className);
  const { onConflictFields: fields } = options;
  if (fields !== undefined && isTenantOwned(meta) && !(Array.isArray(fields) && fields.includes('tenant'))) {
    throw new ValidationError(meta.className, [
      brokenRule('onConflictFields', 'tenantKey', fields),
    ]);
  }
  return judgedNew(em, meta, given, false, mergedFields(given, options));
}

/** Judges what rows are set to beside the unit of work, and returns it as MikroORM is to have it. */
export function judgedUpdate<Given extends object>(em: EntityManager, meta: EntityMetadata, given: Given): Given {
  const { values, issues } = normalise(meta, given);
  const names = new Set(Object.keys(values));
  const owner = isTenantOwned(meta) ? 'tenant' : 'id';
  const owners = [owner in values ? values[owner] : tenantOf(em, meta)];
  const row = { meta, type: 'update', row: values, owners, changed: names, atHand: names } as const;
  assertWritable(em, [row], [...issues, ...sequenceIssuesOf(meta.class, values, false), ...searchIssues(meta, values)]);
  return values as Given;
}

/** Judges that rows may be removed beside the unit of work. */
export function assertDeletable(em: EntityManager, meta: EntityMetadata): void {
  assertWritable(em, [{ meta, type: 'delete', row: {}, owners: [tenantOf(em, meta)] }]);
}

/** The tenant whose rows a statement can reach, which the filter sees to; undefined for tenants, where no tenant limits it. */
function tenantOf(em: EntityManager, meta: EntityMetadata): string | undefined {
  return isTenantOwned(meta) ? tenantIdOf(em) : optionalTenantIdOf(em);
}

function judgedNew<Given>(
  em: EntityManager,
  meta: EntityMetadata,
  given: Given,
  isInsert: boolean,
  changed?: ReadonlySet<string>,
): Given {
  const isEntity = Utils.isEntity(given);
  const { values, issues } = isEntity ? { values: given as Data, issues: [] } : normalise(meta, given);
  if (isTenantOwned(meta)) {
    const tenantId = tenantIdOf(em);
    values['tenant'] ??= isEntity ? em.getReference(Tenant, tenantId, { wrapped: true }) : tenantId;
  }
  const atHand = new Set<string>();
  for (const { name, onCreate } of meta.props) if (!onCreate || values[name] !== undefined) atHand.add(name);
  const owners = [idOf(values[isTenantOwned(meta) ? 'tenant' : 'id'])];
  const row = isEntity ? values : Object.assign(defaultsOf(meta), values);
  assertWritable(
    em,
    [{ meta, type: 'insert', row, owners, atHand, ...(changed && { changed }) }],
    [...issues, ...sequenceIssuesOf(meta.class, values, isInsert), ...searchIssues(meta, values)],
  );
  return values as Given;
}

/** What search finds a document by is kept by the service and the unit of work, not by statements beside it. */
function searchIssues(meta: EntityMetadata, values: object): ValidationIssue[] {
  if (meta.class !== Document) return [];
  const written = ['title', 'content'].filter((name) => name in values);
  return written.map((name) => brokenRule(name, 'kept', 'text', ['documents.create or documents.update']));
}

/** An object that has what the database, like the class, sets where nothing is given. */
function defaultsOf(meta: EntityMetadata): object {
  const Class = meta.class as unknown as new () => object;
  return Object.create(new Class()) as object;
}

/** A copy that has references as keys, and what in it is no property that may be set. Columns' names are none. */
function normalise(
  meta: EntityMetadata,
  given: unknown,
): { readonly values: Data; readonly issues: ValidationIssue[] } {
  const entries = Object.entries(record(meta.className, given));
  const issues: ValidationIssue[] = [];
  const settable = meta.props.filter(({ version }) => !version).map(({ name }) => name);
  const values = entries.map(([name, value]): [string, unknown] => {
    const property = Object.hasOwn(meta.properties, name) ? meta.properties[name as never] : undefined;
    const { kind, version } = (property ?? {}) as Partial<EntityProperty>;
    if (!kind || version) {
      issues.push(brokenRule(name, 'allowed', value, [settable]));
    }
    if (kind !== ReferenceKind.MANY_TO_ONE) return [name, value];
    const key = keyOf(value);
    // What is given, and is no id, is not replaced by the tenant's own.
    return [name, name === 'tenant' && key ? (key.at(-1) ?? '') : key];
  });
  return { values: Object.fromEntries(values), issues };
}

function mergedFields(given: unknown, options: ConflictOptions): ReadonlySet<string> | undefined {
  if (options.onConflictAction === 'ignore') return undefined;
  if (options.onConflictMergeFields) return new Set(options.onConflictMergeFields);
  const excluded = new Set(options.onConflictExcludeFields);
  return new Set(Object.keys(given as object).filter((name) => !excluded.has(name)));
}
