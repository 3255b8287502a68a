import { mutants, type SourceMutant } from './source-mutant.js';

const STATES = 'test/services/tenant-states.test.ts';
const QUOTA = 'test/services/quota.test.ts';
const EMAIL = 'test/services/email.test.ts';
const ONCE = 'test/guarantees/once-creating.test.ts';
const ONCE_MESSAGE = 'test/guarantees/once.test.ts';
const TOGETHER = 'test/conformance/concurrency.test.ts';

/** What a tenant's state and quota let through. */
export const TENANT_STATES: readonly SourceMutant[] = [
  ...mutants('services/tenant-write.ts', STATES, [
    [
      'a suspended tenant takes no write',
      "if (tenant.status === 'suspended') throw new TenantSuspendedError(tenant.slug);",
      '',
      'takes no write',
    ],
    [
      'a deleted tenant takes no write',
      "if (tenant.status === 'deleted') throw new TenantDeletedError(tenant.slug);",
      '',
      'a deleted tenant',
    ],
  ]),
  ...mutants('services/tenant-scope.ts', STATES, [
    [
      'a deleted tenant is not read',
      "if (status === 'deleted') throw new TenantDeletedError(this.#slug);",
      '',
      'a deleted tenant',
    ],
  ]),
  ...mutants('services/tenants.service.ts', STATES, [
    ['a deleted tenant is not changed', 'if (isGone) throw', 'if (Math.PI < 0) throw', 'stays deleted'],
  ]),
  ...mutants('services/transactions.ts', STATES, [
    [
      'who joins a transaction is admitted, too',
      '(unit) => this.#admitted(outer.transaction, tenantId, unit, work)',
      'work',
      'a suspended tenant',
    ],
    [
      'a read cannot write',
      "if (this.#reading.getStore()) throw new DatabaseReadOnlyError('read');",
      '',
      'a unit of work that only reads',
    ],
  ]),
  ...mutants('repositories/append-plans.ts', STATES, [
    [
      'an append beside the ORM asks for the state of the tenant',
      'return found && isPlain(found) ? yield* this.#inSteps(messages) : undefined;',
      'return yield* this.#inSteps(messages);',
      '',
    ],
    [
      'an update for an append asks for the state of the tenant',
      'const tenant = `select 1 from tenants where id = ? and ${IS_PLAIN}`;',
      'const tenant = `select 1 where ? is not null`;',
      '',
    ],
  ]),
  ...mutants(
    'repositories/append-plans.ts',
    STATES,
    [
      [
        'an append of one statement asks for the state of the tenant',
        "const IS_PLAIN = `status = 'active' and",
        'const IS_PLAIN = `',
        '',
      ],
    ],
    'postgresql',
  ),
  ...mutants('repositories/message.repository.ts', STATES, [
    [
      'an append is known before it is written',
      '    noteAppend(this.em, message);\n',
      '',
      'a unit of work that only reads',
    ],
  ]),
  ...mutants(
    'repositories/quota-counter.ts',
    TOGETHER,
    [['the tenant is held as it is', 'where id = ? ${connectionOf(em).sharedLock}', 'where id = ?', 'that is written']],
    'postgresql',
  ),
  ...mutants(
    'database/mariadb-driver.ts',
    TOGETHER,
    [
      [
        'the tenant is held as it is, by a lock of MariaDB',
        "sharedLock = 'lock in share mode'",
        "sharedLock = ''",
        'that is written',
      ],
    ],
    'mariadb',
  ),
];

/** What is counted, and what is settled before a commit. */
export const QUOTA_LIMITS: readonly SourceMutant[] = [
  ...mutants('services/transactions.ts', QUOTA, [
    [
      'quotas are settled',
      'for (const [id, tenant] of tenants) await tenant.settle(this.#viewOf(running, id).em, id);',
      '',
      'tells which',
    ],
    [
      'what is written is told to the tenant',
      'transaction?.tenants?.get(change.tenantId)?.note(change);',
      '',
      'tells which',
    ],
    [
      'a quota is settled when all is written',
      'transaction.hasEnded = true;\n        await unit.flush();',
      'transaction.hasEnded = true;',
      'has written last',
    ],
  ]),
  ...mutants('services/tenant-write.ts', QUOTA, [
    ['more than the quota is refused', 'if (needed > limit) throw', 'if (Math.PI < 0) throw', 'tells which'],
    [
      'a document that grows counts',
      "(type === 'update' && entity !== Document)",
      "type === 'update'",
      'documents that grow',
    ],
    ['messages are counted one by one', 'this.#messageIds.push(...ids)', 'void ids', 'begins again'],
  ]),
  ...mutants('services/tenants.service.ts', QUOTA, [
    [
      'a counter that is not kept is forgotten',
      "if ('quota' in given) await new QuotaCounter(em, tenant.id).forget();",
      '',
      'begins again',
    ],
  ]),
];

/** States that are not left, and values that follow from others. */
export const KEPT: readonly SourceMutant[] = [
  ...mutants('services/write-guard.ts', STATES, [
    ['a state is not left by a flush', '    assertFollows(em, write);\n', '', 'is not left by a unit of work'],
  ]),
  ...mutants('services/native-write.ts', STATES, [
    [
      'a state is not left by a statement',
      '    ...stateIssues(meta, values),\n  ];',
      '  ];',
      'is not left by a statement beside it',
    ],
    [
      'a state is not left by an upsert',
      '...stateIssues(meta, values), ...mergeIssues',
      '...mergeIssues',
      'is not left by an upsert',
    ],
  ]),
  ...mutants('services/tasks.service.ts', 'test/services/tasks.test.ts', [
    ['a task follows its states', '  assertFollows(task, status);', '', ''],
    ['a task starts once', "  assertFollows(task, 'running');", '', ''],
  ]),
  ...mutants(
    'repositories/tenant-owned.repository.ts',
    TOGETHER,
    [
      [
        'a row that is changed is locked',
        'return this.em.isInTransaction() ? { lockMode: LockMode.PESSIMISTIC_WRITE } : {};',
        'return {};',
        'postgresql.*change a row one after the other',
      ],
    ],
    'postgresql',
  ),
  ...mutants('services/native-write.ts', EMAIL, [
    [
      'the key of an e-mail address follows an update',
      'return Object.assign(values, derivedOf(meta, values)) as Given;\n}',
      'return values as Given;\n}',
      'is unique also by',
    ],
    [
      'the key of an e-mail address follows an insert or an upsert',
      'judged.map((values) => Object.assign(values, derivedOf(meta, values)) as Given)',
      'judged as Given[]',
      'upsert',
    ],
    ['what follows from others is not set', ' || (hidden && !follows)', '', 'has no key of its own choosing'],
    [
      'what follows from others is not merged alone',
      '...mergeIssues(meta, values, conflict)',
      '',
      'has no key of its own choosing',
    ],
  ]),
  ...mutants('entities/user.ts', EMAIL, [
    ['the key of an e-mail address follows a flush', ', onUpdate: emailKeyOf', '', 'an e-mail address'],
    ['a new user has the key of the e-mail address', ', onCreate: emailKeyOf', '', 'an e-mail address'],
  ]),
];

/** What makes a request be done once. */
export const ONCE_ONLY: readonly SourceMutant[] = [
  ...mutants('repositories/tenant-owned.repository.ts', ONCE, [
    [
      'idempotency keys are looked up in the tenant',
      "const tenant = `${this.table.column('tenantId')} = ?`;",
      "const tenant = '? is not null';",
      'is another call for another tenant',
    ],
  ]),
  ...mutants('repositories/idempotency-key.repository.ts', ONCE, [
    [
      'a key names a request of one operation',
      "${this.table.column('operation')} = ? and",
      '? is not null and',
      'names a request of each operation',
    ],
    ['keys are kept for a day', '25 * 3_600_000', '3_600_000', 'are all there after a day'],
  ]),
  ...mutants('services/once.ts', ONCE, [
    [
      'requests under a key are compared',
      'if (first.digest !== digest) throw',
      'if (Math.PI < 0) throw',
      'another request',
    ],
    ['a key is kept with its result', '  claimed.result = unsaid(result, input);\n', '', 'gives the first result when'],
    [
      'of a request nothing is kept',
      'claimed.result = unsaid(result, input);',
      'claimed.result = JSON.parse(JSON.stringify(result)) as never;',
      'nothing of what the request said',
    ],
  ]),
  ...mutants(
    'repositories/idempotency-key.repository.ts',
    ONCE,
    [
      [
        'a key is taken before anything is written',
        "await writeFreeKey(() => this.em.flush(), 'idempotency_keys');",
        '',
        'one row for 16 calls',
      ],
      // The rules of the row would say the same; the server would have been asked for a text that it takes none of.
      [
        'what is no key is not looked up',
        "this.rules.assert({ idempotencyKey }, new Set(['idempotencyKey']));",
        '',
        'a key that is none',
      ],
    ],
    'postgresql',
  ),
  ...mutants('repositories/message.repository.ts', ONCE_MESSAGE, [
    ['messages under a key are compared', 'if (difference) throw', 'if (Math.PI < 0) throw', 'is refused'],
  ]),
  ...mutants('repositories/append-plans.ts', ONCE_MESSAGE, [
    [
      'a message under a key is looked for',
      'if (first && ask) return { first: ask.statement.toRow(first, ask.values) };',
      'void first;',
      'the same idempotency key',
    ],
  ]),
  ...mutants('services/appends.ts', ONCE_MESSAGE, [
    [
      'a message under a key is compared beside the ORM',
      "'first' in appended ? firstResult(appended.first, message)",
      "'first' in appended ? appended.first",
      'is refused',
    ],
  ]),
];
