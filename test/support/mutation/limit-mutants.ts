import { ISOLATION, LIMIT, mutants, QUERIES, type SourceMutant, SQL, together } from './source-mutant.js';

/** What limits a query to the tenant. */
export const FILTERS: readonly SourceMutant[] = [
  ...mutants('entities/tenant-owned.ts', ISOLATION, [
    ['rows of a tenant have a filter', '({ tenant: tenantIdOf(em) })', '(em === undefined ? {} : {})', QUERIES],
  ]),
  // Either would do.
  together(
    {
      guard: 'the filter asks the entity manager, not the query',
      file: 'entities/tenant-owned.ts',
      find: 'cond: (_parameters: object, _type: unknown, em: EntityManager) => ({ tenant: tenantIdOf(em) })',
      replace: 'cond: (given: { tenantId: string }) => ({ tenant: given.tenantId })',
      test: ISOLATION,
      only: "the filter given the other's id",
    },
    {
      guard: 'no query gives the filter a parameter',
      file: 'services/tenant-entity-manager.ts',
      find: "typeof options === 'object' ? { ...options, [TENANT_FILTER]: true }",
      replace: "typeof options === 'object' ? { [TENANT_FILTER]: true, ...options }",
    },
  ),
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
  ...mutants(
    'database/postgresql-trips.ts',
    'test/services/appends-at-once.test.ts',
    [
      [
        'each step of a shared trip is limited to its own tenant',
        'tenantId === limited ? undefined : limitTo(tenantId)',
        'limited !== undefined ? undefined : limitTo(tenantId)',
        'go to the server together',
      ],
    ],
    'postgresql',
  ),
  ...mutants(
    'database/postgresql-trips.ts',
    'test/conformance/lost-replies.test.ts',
    [['what may be committed does not go again', 'query?.isTakenBack', 'query !== undefined', 'nobody else']],
    'postgresql',
  ),
];

/** What keeps a unit of work from being given another limit, or none. */
export const SEAL: readonly SourceMutant[] = [
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
      "if (name === TENANT_FILTER) this.#refuse('setFilterParams', 'tenant');",
      '',
      LIMIT,
    ],
    [
      'no parameter changed in place',
      'return this.#sealed ? { ...parameters } : parameters;',
      'return parameters;',
      LIMIT,
    ],
    ['no other session', "this.#refuse('setSessionContext', 'tenant');", '', LIMIT],
    ['no cleared session', "this.#refuse('clearSessionContext', 'tenant');", '', LIMIT],
    ['no result that another has cached', '[this.#ownCacheKey(own), 0]', 'given', LIMIT],
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
  // A statement goes by the connection.
  together(
    {
      guard: 'no execute',
      file: 'services/tenant-entity-manager.ts',
      find: "this.#refuse('execute');",
      replace: '',
      test: ISOLATION,
      only: 'execute of a fork',
    },
    {
      guard: 'no statement of the connection',
      file: 'services/tenant-entity-manager.ts',
      find: 'return this.#sealed ? this.#withoutStatements(connection) : connection;',
      replace: 'return connection;',
    },
  ),
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
