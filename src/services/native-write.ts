import {
  type EntityClass,
  type EntityManager,
  type EntityMetadata,
  type EntityProperty,
  ReferenceKind,
  Utils,
} from '@mikro-orm/core';
import { Document } from '../entities/document.js';
import { isFree, statesOf } from '../entities/states.js';
import { JSON_DEPTH_MAX } from '../entities/rules.js';
import { Tenant } from '../entities/tenant.js';
import { optionalTenantIdOf, tenantIdOf } from '../entities/tenant-limit.js';
import { TenantMismatchError, ValidationError, type ValidationIssue } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { record } from '../repositories/allowed-properties.js';
import { sequenceIssuesOf } from './dense-sequence.js';
import { assertWritable, idOf, isTenantOwned, keyOf, noteWrite, type Write } from './write-guard.js';

type Data = Record<string, unknown>;

/** Which properties an upsert writes where the row is there already. */
export interface ConflictOptions {
  readonly onConflictFields?: unknown;
  readonly onConflictAction?: 'ignore' | 'merge' | undefined;
  readonly onConflictMergeFields?: readonly string[] | undefined;
  readonly onConflictExcludeFields?: readonly string[] | undefined;
}

/** Judges rows that are inserted beside the unit of work, and returns them as MikroORM is to have them: with their tenant. */
export function judgedInserts<Given>(em: EntityManager, meta: EntityMetadata, rows: readonly Given[]): Given[] {
  return judgedNew(em, meta, rows, (index) => `rows.${String(index)}.`);
}

/** {@link judgedInserts} of one row. */
export function judgedInsert<Given>(em: EntityManager, meta: EntityMetadata, row: Given): Given {
  return judgedNew(em, meta, [row], alone)[0] as Given;
}

/** {@link judgedInserts} of rows that may be there already: the conflict must be one within the tenant. */
export function judgedUpserts<Given>(
  em: EntityManager,
  meta: EntityMetadata,
  rows: readonly Given[],
  options: ConflictOptions = {},
): Given[] {
  assertConflict(em, meta, options);
  return judgedNew(em, meta, rows, (index) => `rows.${String(index)}.`, options);
}

/** {@link judgedUpserts} of one row. */
export function judgedUpsert<Given>(
  em: EntityManager,
  meta: EntityMetadata,
  row: Given,
  options: ConflictOptions = {},
): Given {
  assertConflict(em, meta, options);
  return judgedNew(em, meta, [row], alone, options)[0] as Given;
}

const alone = (): string => '';

function assertConflict(em: EntityManager, meta: EntityMetadata, { onConflictFields: fields }: ConflictOptions): void {
  // A tenant's other keys are unique among all tenants: the row that is there may be any of them.
  if (meta.class === Tenant && optionalTenantIdOf(em) !== undefined) throw new TenantMismatchError(meta.className);
  if (fields !== undefined && isTenantOwned(meta) && !(Array.isArray(fields) && fields.includes('tenant'))) {
    throw new ValidationError(meta.className, [brokenRule('onConflictFields', 'tenantKey', fields)]);
  }
}

/** Judges what rows are set to beside the unit of work, and returns it as MikroORM is to have it. */
export function judgedUpdate<Given extends object>(em: EntityManager, meta: EntityMetadata, given: Given): Given {
  const { values, issues } = normalise(em, meta, given, false);
  const names = new Set(Object.keys(values));
  const owner = isTenantOwned(meta) ? 'tenant' : 'id';
  const owners = [owner in values ? values[owner] : tenantOf(em, meta)];
  const row = { meta, type: 'update', row: values, owners, changed: names, atHand: names } as const;
  const kept = [
    ...sequenceIssuesOf(meta.class, values, false),
    ...searchIssues(meta, values),
    ...stateIssues(meta, values),
  ];
  assertWritableBeside(em, row, [...issues, ...kept]);
  return Object.assign(values, derivedOf(meta, values)) as Given;
}

/** Judges that rows may be removed beside the unit of work. */
export function assertDeletable(em: EntityManager, meta: EntityMetadata): void {
  assertWritableBeside(em, { meta, type: 'delete', row: {}, owners: [tenantOf(em, meta)] });
}

function assertWritableBeside(em: EntityManager, write: Write, issues: readonly ValidationIssue[] = []): void {
  assertWritable(em, [write], [{ entity: write.meta.className, issues }]);
  noteWrite(em, write);
}

/** The tenant whose rows a statement can reach, which the filter sees to; undefined for tenants, where no tenant limits it. */
function tenantOf(em: EntityManager, meta: EntityMetadata): string | undefined {
  return isTenantOwned(meta) ? tenantIdOf(em) : optionalTenantIdOf(em);
}

/** With `conflict`, the rows may be there already. */
function judgedNew<Given>(
  em: EntityManager,
  meta: EntityMetadata,
  rows: readonly Given[],
  pathOf: (index: number) => string,
  conflict?: ConflictOptions,
): Given[] {
  const writes: Write[] = [];
  const others: ValidationIssue[] = [];
  const judged = rows.map((given, index) => {
    const path = pathOf(index);
    const { values, write, issues } = newRow(em, meta, given, conflict);
    writes.push({ ...write, path });
    others.push(...issues.map((issue) => ({ ...issue, path: path + issue.path })));
    return values;
  });
  assertWritable(em, writes, [{ entity: meta.className, issues: others }]);
  for (const write of writes) noteWrite(em, write, conflict !== undefined);
  return judged.map((values) => Object.assign(values, derivedOf(meta, values)) as Given);
}

function newRow(
  em: EntityManager,
  meta: EntityMetadata,
  given: unknown,
  conflict: ConflictOptions | undefined,
): { readonly values: Data; readonly write: Write; readonly issues: readonly ValidationIssue[] } {
  const isEntity = Utils.isEntity(given);
  const { values, issues } = isEntity ? { values: given as Data, issues: [] } : normalise(em, meta, given, true);
  if (isTenantOwned(meta)) {
    const tenantId = tenantIdOf(em);
    values['tenant'] ??= isEntity ? em.getReference(Tenant, tenantId, { wrapped: true }) : tenantId;
  }
  const atHand = new Set<string>();
  for (const { name, onCreate } of meta.props) if (!onCreate || values[name] !== undefined) atHand.add(name);
  const owners = [idOf(values[isTenantOwned(meta) ? 'tenant' : 'id'])];
  const row = isEntity ? values : Object.assign(defaultsOf(meta), values);
  const changed = conflict && mergedFields(given, conflict);
  return {
    values,
    write: { meta, type: 'insert', row, owners, atHand, ...(changed && { changed }) },
    issues: [
      ...issues,
      ...sequenceIssuesOf(meta.class, values, conflict === undefined),
      ...searchIssues(meta, values),
      ...(conflict ? [...stateIssues(meta, values), ...mergeIssues(meta, values, conflict)] : []),
      ...(conflict && !isEntity ? lostKeys(values) : []),
    ],
  };
}

/** Which of the two is merged, a value or what follows from it, would not be for the caller to say. */
function mergeIssues(meta: EntityMetadata, values: Data, options: ConflictOptions): ValidationIssue[] {
  const isPartial = options.onConflictMergeFields !== undefined || options.onConflictExcludeFields !== undefined;
  const derived = isPartial ? Object.keys(derivedOf(meta, values)) : [];
  return derived.map((name) => brokenRule(name, 'kept', undefined, ['the service']));
}

/** MikroORM copies what it upserts, and a copy has no key of this name; JSON has it, and all other ways keep it. */
function lostKeys(values: Data): ValidationIssue[] {
  const names = Object.keys(values).filter((name) => name !== 'tenant' && hasProtoKey(values[name]));
  return names.map((name) => brokenRule(name, 'protoKey', values[name]));
}

function hasProtoKey(value: unknown, depth = 0): boolean {
  // What is deeper than JSON may be breaks a rule.
  if (depth > JSON_DEPTH_MAX || typeof value !== 'object' || value === null) return false;
  if (!Array.isArray(value) && !Utils.isPlainObject(value)) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some((item) => hasProtoKey(item, depth + 1));
}

/** What search finds a document by is kept by the service and the unit of work, not by statements beside it. */
function searchIssues(meta: EntityMetadata, values: object): ValidationIssue[] {
  if (meta.class !== Document) return [];
  const written = ['title', 'content'].filter((name) => name in values);
  return written.map((name) => brokenRule(name, 'kept', 'text', ['documents.create or documents.update']));
}

/** Which state a row is in now, and what may follow it, is nothing that a statement beside the unit of work knows. */
function stateIssues(meta: EntityMetadata, values: Data): ValidationIssue[] {
  const states = statesOf(meta.class as EntityClass<object>);
  if (!states || isFree(states.machine) || values[states.property] === undefined) return [];
  return [brokenRule(states.property, 'kept', values[states.property], ['the service, or a unit of work'])];
}

/** The values that follow from others, where these are at hand. */
function derivedOf({ props }: EntityMetadata, values: Data): Data {
  const derived = props
    .filter(({ hidden }) => hidden)
    .map(({ name, onCreate }): [string, unknown] => [
      name,
      (onCreate as ((row: Data) => unknown) | undefined)?.(values),
    ]);
  return Object.fromEntries(derived.filter(([, value]) => value !== undefined));
}

/** An object that has what the database, like the class, sets where nothing is given. */
function defaultsOf(meta: EntityMetadata): object {
  const Class = meta.class as unknown as new () => object;
  return Object.create(new Class()) as object;
}

/** A copy that has references as keys, and what in it is no property that may be set. Columns' names are none. */
function normalise(
  em: EntityManager,
  meta: EntityMetadata,
  given: unknown,
  isNew: boolean,
): { readonly values: Data; readonly issues: ValidationIssue[] } {
  const entries = Object.entries(record(meta.className, given));
  const issues: ValidationIssue[] = [];
  const settable = meta.props.filter(({ version, hidden }) => !version && !hidden).map(({ name }) => name);
  const values = entries.map(([name, value]): [string, unknown] => {
    const property = Object.hasOwn(meta.properties, name) ? meta.properties[name as never] : undefined;
    const { kind, version, hidden, onCreate } = (property ?? {}) as Partial<EntityProperty>;
    // MikroORM has a new row judged twice: the second time it has what follows from the others.
    const follows = isNew && hidden && (onCreate?.(given, em) ?? null) === value;
    if (!kind || version || (hidden && !follows)) {
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
