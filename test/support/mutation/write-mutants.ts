import { BESIDE, FLUSH, ISOLATION, mutants, type SourceMutant } from './source-mutant.js';

const NATIVELY = 'test/guarantees/nothing-invalid-natively.test.ts';
const NOTHING_INVALID = 'test/guarantees/nothing-invalid.test.ts';

/** What is judged before it is written, whatever way it goes. */
export const GUARD: readonly SourceMutant[] = [
  ...mutants('services/write-guard.ts', ISOLATION, [
    ['a row is the own', '    assertOwnTenant(em, write);\n', '', FLUSH],
    [
      'a row is the own as it stands',
      '[entity, em.getUnitOfWork().getOriginalEntityData(entity), payload]',
      '[em.getUnitOfWork().getOriginalEntityData(entity), payload]',
      FLUSH,
    ],
    ['a row was the own before', 'em.getUnitOfWork().getOriginalEntityData(entity), payload]', 'payload]', FLUSH],
    [
      'a row is the own in what is sent',
      'getOriginalEntityData(entity), payload]',
      'getOriginalEntityData(entity)]',
      FLUSH,
    ],
    ['references are judged', "if (write.type !== 'delete') assertReferences(em, write);", '{}', BESIDE],
    [
      'a reference is a whole key of the own tenant',
      '(key.length === 2 && key[0] === tenantIdOf(em))',
      'tenantIdOf(em) !== ""',
      BESIDE,
    ],
  ]),
  ...mutants(
    'services/write-guard.ts',
    'test/conformance/services.test.ts',
    [['a reference is an id', '!isOwn || !isId(id)', '!isOwn', 'every call gives the same']],
    'postgresql',
  ),
  ...mutants('services/write-guard.ts', NATIVELY, [
    ['an accepted message stays as it is', '    assertUnchanged(write);\n', '', 'no accepted message'],
    ['rules are asked', '...rules.issues(row, atHand, path), ', '', 'nothing invalid'],
    ['references that must be there are', '...missingReferences(write), ', '', 'nothing invalid'],
    ['rules that compare are asked', ', ...lacking];', '];', 'nothing invalid'],
    [
      'what cannot be compared is judged',
      'assertWritable(em, [\n    ...made',
      'void (em, [\n    ...made',
      'cannot be compared',
    ],
    ['what else is wrong is asked about', '[...judged, ...others]', '[...judged]', 'nothing invalid'],
  ]),
  ...mutants('services/write-guard.ts', NOTHING_INVALID, [
    ['the sequence is asked about', 'issues: sequenceIssues(changes)', 'issues: []', ''],
  ]),
  ...mutants('services/judging-event-manager.ts', ISOLATION, [
    ['a flush is judged', '[EventType.onFlush]: ({ em, uow }) => assertFlushable(em, uow.getChangeSets()),', '', FLUSH],
    ['a subscriber of new rows is judged', '[EventType.beforeCreate]: again,', '', FLUSH],
    ['a subscriber of changed rows is judged', '[EventType.beforeUpdate]: again,', '', FLUSH],
    ['a subscriber of removed rows is judged', '[EventType.beforeDelete]: again,', '', FLUSH],
    ['a subscriber of upserts is judged', 'if (meta) judgedUpsert(em, meta, entity);', '', FLUSH],
    [
      'listeners of other forks are judged',
      'manager instanceof JudgingEventManager ? manager : new',
      'manager.constructor === EventManager && manager.getSubscribers().size > 0 ? (manager as never) : new',
      FLUSH,
    ],
  ]),
];

/** What is judged of statements beside the unit of work. */
export const NATIVE: readonly SourceMutant[] = [
  ...mutants('services/judged-entity-manager.ts', ISOLATION, [
    ['insert is judged', 'judgedInsert(this, meta, data ?? (target as Entity))', '(data ?? target) as Entity', BESIDE],
    ['insertMany is judged', 'judgedInserts(this, meta, given) as Entity[]', 'given as Entity[]', BESIDE],
    [
      'upsert is judged',
      'judgedUpsert(this, meta, data ?? (target as Entity), options)',
      '(data ?? target) as Entity',
      BESIDE,
    ],
    ['upsertMany is judged', 'judgedUpserts(this, meta, given, options)', 'given', BESIDE],
    ['nativeUpdate is judged', 'judgedUpdate(this, this.getMetadata(target) as EntityMetadata, data)', 'data', BESIDE],
    ['nativeUpdate is no upsert', '{ ...options, upsert: false }', 'options', BESIDE],
    ['nativeDelete is judged', 'assertDeletable(this, this.getMetadata(target) as EntityMetadata);', '', BESIDE],
  ]),
  ...mutants('services/judged-entity-manager.ts', NATIVELY, [
    ['rows are of one kind', 'if (rows.some(isOther))', 'if (Math.PI < 0)', 'nothing invalid'],
  ]),
  ...mutants('services/native-write.ts', ISOLATION, [
    [
      'no upsert of a tenant',
      'if (meta.class === Tenant && optionalTenantIdOf(em) !== undefined) throw',
      'if (Math.PI < 0) throw',
      BESIDE,
    ],
    [
      'a conflict is one within the tenant',
      "!(Array.isArray(fields) && fields.includes('tenant'))",
      'Math.PI < 0',
      BESIDE,
    ],
    ['a column is no property', 'if (!kind || version', 'if (version', BESIDE],
    ['what is no tenant is not taken for the own', "(key.at(-1) ?? '')", 'key.at(-1)', BESIDE],
    [
      'a row that is set to a tenant is the own',
      'owner in values ? values[owner] : tenantOf(em, meta)',
      'tenantOf(em, meta)',
      BESIDE,
    ],
    ['a new row is the own', "[idOf(values[isTenantOwned(meta) ? 'tenant' : 'id'])]", '[tenantIdOf(em)]', BESIDE],
  ]),
  ...mutants('services/native-write.ts', NATIVELY, [
    ['a version is not set', 'if (!kind || version', 'if (!kind', 'nothing invalid'],
    [
      'a message is not inserted',
      '...sequenceIssuesOf(meta.class, values, conflict === undefined),',
      '',
      'nothing invalid',
    ],
    ['a counter is not set', '...sequenceIssuesOf(meta.class, values, false),', '', 'nothing invalid'],
    ['a new row has the tenant', "values['tenant'] ??=", 'void', 'what is valid is written'],
    [
      'what an upsert merges is compared',
      'conflict && mergedFields(given, conflict)',
      'undefined as ReadonlySet<string> | undefined',
      'nothing invalid',
    ],
    ['a key that would be lost is refused', 'conflict && !isEntity ? lostKeys(values) : []', '[]', 'nothing invalid'],
    [
      'what search finds by is not set',
      '    ...searchIssues(meta, values),\n    ...stateIssues',
      '    ...stateIssues',
      'nothing invalid',
    ],
    [
      'a document is not inserted',
      '      ...searchIssues(meta, values),\n      ...(conflict ?',
      '      ...(conflict ?',
      'nothing invalid',
    ],
    [
      'what is generated is not asked for',
      '!onCreate ||',
      'typeof onCreate !== "string" ||',
      'what is valid is written',
    ],
  ]),
];
