import { BESIDE, ISOLATION, mutants, QUERIES, SERVICES, type SourceMutant, together } from './source-mutant.js';

const QUOTAS = 'by quotas';

/** What statements of the library itself name, and what is text in them. */
export const STATEMENTS: readonly SourceMutant[] = [
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
  ...mutants('repositories/compiled-table.ts', ISOLATION, [
    [
      'plans that read name the tenant',
      "from ${this.name} where ${this.column('tenantId')} = ?${own}",
      'from ${this.name} where ? is not null${own}',
      SERVICES,
    ],
  ]),
  ...mutants('repositories/append-plans.ts', ISOLATION, [
    [
      'the counter of an append names the tenant',
      'set ${set} where ${own} and',
      "set ${set} where ? is not null ${own.slice(own.indexOf('and'))} and",
      SERVICES,
    ],
    [
      'whether a conversation is there is asked in the tenant',
      'return `select ${columns} from ${conversations.name} where ${own}`;',
      "return `select ${columns} from ${conversations.name} where ? is not null ${own.slice(own.indexOf('and'))}`;",
      SERVICES,
    ],
  ]),
  ...mutants('repositories/message.repository.ts', ISOLATION, [
    [
      'whether a conversation without messages is there is asked in the tenant',
      "'select 1 from conversations where tenant_id = ? and id = ?'",
      "'select 1 from conversations where ? is not null and id = ?'",
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
  ]),
  together(
    {
      guard: 'only some properties may be given',
      file: 'repositories/allowed-properties.ts',
      find: 'if (value !== undefined && !allowed.includes(name)) issues',
      replace: 'if (Math.PI < 0) issues',
      test: ISOLATION,
      only: SERVICES,
    },
    {
      guard: 'no others are taken',
      file: 'repositories/allowed-properties.ts',
      find: 'const isAllowed = allowed.includes(name) || keys.includes(name);',
      replace: 'const isAllowed = true;',
    },
  ),
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
  ...mutants('repositories/tenant-owned.repository.ts', ISOLATION, [
    [
      'rows are counted in the tenant',
      "where ${this.table.column('tenantId')} = ?`;\n    const [row]",
      'where ? is not null`;\n    const [row]',
      QUERIES,
    ],
  ]),
  together(
    {
      guard: 'the index of a search is asked for the tenant',
      file: 'database/sqlite-terms.ts',
      find: 'where document_terms.tenant_id = ? and',
      replace: 'where ? is not null and',
      test: ISOLATION,
      only: 'a search for',
    },
    {
      guard: 'what a search ranks is of the tenant',
      file: 'repositories/document.repository.ts',
      find: 'where d.${tenant} = ? and d.${id}',
      replace: 'where ? is not null and d.${id}',
    },
    {
      guard: 'what a search reads is of the tenant',
      file: 'repositories/tenant-owned.repository.ts',
      find: "const tenant = `${this.table.column('tenantId')} = ?`;",
      replace: "const tenant = '? is not null';",
    },
  ),
  ...mutants('repositories/document-terms.ts', ISOLATION, [
    [
      "the words of a document are the own one's",
      'from documents where tenant_id = ? and',
      'from documents where ? is not null and',
      BESIDE,
    ],
    [
      "the own document's words are replaced",
      'delete from document_terms where tenant_id = ? and',
      'delete from document_terms where ? is not null and',
      BESIDE,
    ],
  ]),
  ...mutants('repositories/quota-counter.ts', ISOLATION, [
    [
      'a month is counted in the tenant',
      '? where tenant_id = ? and month = ?',
      '? where ? is not null and month = ?',
      QUOTAS,
    ],
    [
      'a month is read in the tenant',
      'from quota_months where tenant_id = ? and month = ?',
      'from quota_months where ? is not null and month = ?',
      QUOTAS,
    ],
    [
      'the messages of a month are those of the tenant',
      'where tenant_id = ? and id >= ?',
      'where ? is not null and id >= ?',
      QUOTAS,
    ],
    ['the own months are forgotten', "quota_months where tenant_id = ?'", "quota_months where ? is not null'", QUOTAS],
    [
      'messages are added up in the tenant',
      'where tenant_id = ? and id in (?)',
      'where ? is not null and id in (?)',
      QUOTAS,
    ],
    ['users are counted in the tenant', 'from users where tenant_id = ?', 'from users where ? is not null', QUOTAS],
    [
      'conversations are counted in the tenant',
      'from conversations where tenant_id = ?',
      'from conversations where ? is not null',
      QUOTAS,
    ],
    [
      'documents are measured in the tenant',
      'from documents where tenant_id = ?',
      'from documents where ? is not null',
      QUOTAS,
    ],
  ]),
  ...mutants('repositories/tenant-rows.ts', 'test/services/digest.test.ts', [
    [
      'a digest is of the tenant',
      "this.table.column('tenantId') : this.#id} = ?`",
      "this.table.column('tenantId') : this.#id} is not null and ? is not null`",
      '',
    ],
  ]),
];

/** What keeps tenants apart in the cache. */
export const CACHED: readonly SourceMutant[] = mutants('services/cache-keys.ts', 'test/services/cached-rows.test.ts', [
  ["what is cached is the tenant's", 'return `{${tenantId}}:${kind}`;', 'return `{all}:${kind}`;', ''],
]);

/** What keeps values out of the text of statements. */
export const PRINTING: readonly SourceMutant[] = [
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
