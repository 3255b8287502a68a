/** A guard, and how it is dropped. */
export interface SourceMutant {
  /** What the guard sees to. */
  readonly guard: string;
  /** Relative to `src`. */
  readonly file: string;
  /** Is there once. */
  readonly find: string;
  readonly replace: string;
  /** The test file that must fail without it, and what of it. */
  readonly test: string;
  readonly only?: string;
  /** SQLite unless the guard is only seen elsewhere. */
  readonly engine?: string;
}

type Line = readonly [guard: string, find: string, replace: string, only: string];

const ISOLATION = 'test/conformance/isolation.test.ts';
const NATIVELY = 'test/guarantees/nothing-invalid-natively.test.ts';

function mutants(file: string, test: string, lines: readonly Line[], engine?: string): SourceMutant[] {
  return lines.map(([guard, find, replace, only]) => ({
    guard,
    file,
    find,
    replace,
    test,
    only,
    ...(engine !== undefined && { engine }),
  }));
}

const QUERIES = 'by queries of the ORM';
const SQL = 'by SQL';
const FLUSH = 'by a flush of the ORM';
const BESIDE = 'by statements beside';
const LIMIT = 'by the limit';
const SERVICES = 'by the services';

const FILTERS: readonly SourceMutant[] = [
  ...mutants('entities/tenant-owned.ts', ISOLATION, [
    ['rows of a tenant have a filter', '({ tenant: tenantIdOf(em) })', '(em === undefined ? {} : {})', QUERIES],
    [
      'the filter asks the entity manager, not the query',
      'cond: (_parameters: object, _type: unknown, em: EntityManager) => ({ tenant: tenantIdOf(em) })',
      'cond: (given: { tenantId: string }) => ({ tenant: given.tenantId })',
      LIMIT,
    ],
  ]),
  ...mutants('entities/tenant.ts', ISOLATION, [
    ['tenants have a filter', 'return tenantId === undefined ? {} : { id: tenantId };', 'return {};', QUERIES],
  ]),
  ...mutants('entities/tenant-limit.ts', ISOLATION, [
    ['no tenant, no query', 'if (!tenantId) throw', 'if (Math.PI < 0) throw', 'without a tenant'],
  ]),
  ...mutants('services/tenant-entity-manager.ts', ISOLATION, [
    [
      'no query switches the filter off',
      'const fenced = optionalTenantIdOf(this) === undefined ? options : withTenantFilter(options);',
      'const fenced = options;',
      LIMIT,
    ],
  ]),
];

const SEAL: readonly SourceMutant[] = [
  ...mutants('services/transactions.ts', ISOLATION, [
    ['a unit of work is sealed', 'if (tenantId !== undefined) (em', 'if (Math.PI < 0) (em', LIMIT],
    [
      "a unit of work does not begin with another's entity manager",
      'this.#em.fork({ disableContextResolution: true })',
      'this.#em.fork()',
      LIMIT,
    ],
  ]),
  ...mutants('services/tenant-entity-manager.ts', ISOLATION, [
    ['a fork is sealed', 'fork.#isSealed = (options', 'void (options', LIMIT],
    ['no filter of the same name', 'if (options.name === TENANT_FILTER)', 'if (Math.PI < 0)', LIMIT],
    [
      'no other parameter of the filter',
      "if (name === TENANT_FILTER) this.#refuse('setFilterParams', ONE_TENANT);",
      '',
      LIMIT,
    ],
    [
      'no parameter changed in place',
      'return this.#sealed ? { ...parameters } : parameters;',
      'return parameters;',
      LIMIT,
    ],
    ['no other session', "this.#refuse('setSessionContext', ONE_TENANT);", '', LIMIT],
    ['no cleared session', "this.#refuse('clearSessionContext', ONE_TENANT);", '', LIMIT],
    [
      'no result that another has cached',
      'Array.isArray(config) ? [this.#ownCacheKey(config[0]), config[1]] : config',
      'config',
      LIMIT,
    ],
    [
      "no clearing of another's cache",
      'super.clearCache(this.#ownCacheKey(cacheKey))',
      'super.clearCache(cacheKey)',
      LIMIT,
    ],
    ['no lock on a row there', 'assertReachable(this.getContext(false), entity);', '', QUERIES],
    ['no filter of SQL', 'if (containsSql(given))', 'if (Math.PI < 0)', SQL],
    ['no condition of SQL', 'if (this.#sealed && containsSql(where))', 'if (Math.PI < 0)', SQL],
    ['no option of SQL', 'if (this.#sealed && optionsContainSql(options))', 'if (Math.PI < 0)', SQL],
    ['no group of SQL', 'if (containsSql(groupBy))', 'if (Math.PI < 0)', SQL],
    ['no execute', "this.#refuse('execute');", '', SQL],
    ['no query builder', "if (!TenantEntityManager.#counting.getStore()) this.#refuse('A query builder');", '', SQL],
    ['no Kysely', "this.#refuse('getKysely');", '', SQL],
    ['no copy of a row', "this.#refuse('clone');", '', SQL],
    ['no routine', "this.#refuse('callRoutine');", '', SQL],
    [
      'no statement of the connection',
      'return this.#sealed ? this.#withoutStatements(connection) : connection;',
      'return connection;',
      SQL,
    ],
  ]),
  ...mutants('services/sql-text.ts', ISOLATION, [
    ['SQL in place of a value is seen', 'isRaw(value) || isBuilder(value)', 'isBuilder(value) && !isRaw(value)', SQL],
    ['a builder in place of a value is seen', 'isRaw(value) || isBuilder(value)', 'isRaw(value)', SQL],
    [
      'SQL in place of a property is seen',
      'RawQueryFragment.isKnownFragmentSymbol(key) ||',
      'typeof RawQueryFragment === "string" ||',
      SQL,
    ],
    [
      'SQL in a list is seen',
      'if (Array.isArray(value)) return value.some(containsSql);',
      'if (Array.isArray(value)) return false;',
      SQL,
    ],
    ['an index hint is SQL', "'indexHint', ", '', SQL],
    ['a comment is SQL', "'comments', ", '', SQL],
    ['a hint in a comment is SQL', "'hintComments'", '', SQL],
  ]),
];

const GUARD: readonly SourceMutant[] = [
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
    ['rules are asked', 'return [...rules.issues(row, atHand), ...lacking];', 'return lacking;', 'nothing invalid'],
    ['rules that compare are asked', ', ...lacking];', '];', 'nothing invalid'],
    ['the sequence is asked about', 'if (sequence.length > 0)', 'if (Math.PI < 0)', 'nothing invalid'],
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

const NATIVE: readonly SourceMutant[] = [
  ...mutants('services/judged-entity-manager.ts', ISOLATION, [
    ['insert is judged', 'judgedInsert(this, meta, data ?? (target as Entity))', '(data ?? target) as Entity', BESIDE],
    ['insertMany is judged', 'given.map((row) => judgedInsert(this, meta, row))', 'given', BESIDE],
    [
      'upsert is judged',
      'judgedUpsert(this, meta, data ?? (target as Entity), options)',
      '(data ?? target) as Entity',
      BESIDE,
    ],
    ['upsertMany is judged', 'given.map((row) => judgedUpsert(this, meta, row, options))', 'given', BESIDE],
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
    ['a column is no property', 'if (!kind || version)', 'if (version)', BESIDE],
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
    ['a version is not set', 'if (!kind || version)', 'if (!kind)', 'nothing invalid'],
    ['a message is not inserted', '...sequenceIssuesOf(meta.class, values, isInsert)', '', 'nothing invalid'],
    ['a counter is not set', ', ...sequenceIssuesOf(meta.class, values, false)]', ']', 'nothing invalid'],
    ['a new row has the tenant', "values['tenant'] ??=", 'void', 'what is valid is written'],
    ['what an upsert merges is compared', 'mergedFields(given, options))', 'undefined)', 'nothing invalid'],
    [
      'what is generated is not asked for',
      '!onCreate ||',
      'typeof onCreate !== "string" ||',
      'what is valid is written',
    ],
  ]),
];

const STATEMENTS: readonly SourceMutant[] = [
  ...mutants('repositories/tenant-owned.repository.ts', ISOLATION, [
    [
      'reads name the tenant',
      "const tenant = `${this.table.column('tenantId')} = ?`;",
      "const tenant = '? is not null';",
      SERVICES,
    ],
  ]),
  ...mutants('repositories/externally-keyed.repository.ts', ISOLATION, [
    ['keys are looked up in the tenant', 'where ${tenant} = ? and', "where ${tenant} <> ? || '-' and", QUERIES],
  ]),
  ...mutants('repositories/message.repository.ts', ISOLATION, [
    [
      'the counter of an append names the tenant',
      "where ${column('tenantId')} = ? and ${column('id')}",
      "where ? is not null and ${column('id')}",
      SERVICES,
    ],
    [
      'whether a conversation is there is asked in the tenant',
      "const where = `${this.#conversations.column('tenantId')} = ? and",
      'const where = `? is not null and',
      SERVICES,
    ],
  ]),
  ...mutants('repositories/insert-rows.ts', ISOLATION, [
    ['rows in bulk are the own', 'if (stranger) throw', 'if (Math.PI < 0) throw', BESIDE],
  ]),
  ...mutants('services/stats.service.ts', ISOLATION, [
    [
      'statistics count the tenant',
      "tenantId === undefined ? '' : ` where ${table.column(key)} = ?`",
      "tenantId === undefined ? '' : ' where ? is not null'",
      SERVICES,
    ],
  ]),
  ...mutants('repositories/allowed-properties.ts', ISOLATION, [
    [
      'a key is text',
      "if (typeof value === 'string') return value;",
      'if (value !== undefined) return value as string;',
      SERVICES,
    ],
    ['only some properties may be given', 'if (refused.length > 0)', 'if (Math.PI < 0)', SERVICES],
  ]),
  ...mutants('repositories/page.ts', ISOLATION, [
    ['a cursor is an id', 'request.after !== undefined && !isId(request.after)', 'Math.PI < 0', SERVICES],
  ]),
  ...mutants(
    'repositories/id.ts',
    ISOLATION,
    [['an id is text', "typeof text === 'string' && ", '', `postgresql.*${SERVICES}`]],
    'postgresql',
  ),
  ...mutants('services/api-keys.service.ts', ISOLATION, [
    [
      'the whole of an API key is compared',
      "!timingSafeEqual(hashOf(key), Buffer.from(row.hash, 'hex'))",
      'Math.PI < 0',
      SERVICES,
    ],
  ]),
];

const PRINTING: readonly SourceMutant[] = [
  ...mutants('database/sqlite-schema-helper.ts', 'test/conformance/printed-values.test.ts', [
    ['SQLite prints no value', 'assertNoValuePrinted(sql, parameters);', '', 'sqlite'],
  ]),
  ...mutants(
    'database/postgresql-driver.ts',
    'test/conformance/printed-values.test.ts',
    [['PostgreSQL prints no value', 'assertNoValuePrinted(sql, parameters);', '', 'postgresql']],
    'postgresql',
  ),
];

/** Every guard in the source. Policies of a database come beside the key rules, in `key-rules.ts`. */
export const SOURCE_MUTANTS: readonly SourceMutant[] = [
  ...FILTERS,
  ...SEAL,
  ...GUARD,
  ...NATIVE,
  ...STATEMENTS,
  ...PRINTING,
];
