import type { Catalog } from './catalog.js';

const quoted = (key: string): string => JSON.stringify(key);
const list = (values: unknown): string => (Array.isArray(values) ? values.join(', ') : String(values));

export const english: Catalog = {
  errors: {
    VALIDATION_FAILED: ({ entity, issues }) =>
      `${entity} is not valid: ${issues.map(({ path, message }) => `${path} ${message}`).join('; ')}.`,
    NOT_FOUND: ({ entity, key }) =>
      `There is no ${entity} ${quoted(key)} here. Check the identifier, and that it belongs to this tenant.`,
    ALREADY_EXISTS: ({ constraint }) =>
      `A row with the same ${constraint} exists already. Read that row, or choose another key.`,
    REFERENCE_NOT_FOUND: () =>
      'A referenced row does not exist in this tenant, or the row is still referenced. Create what it refers to first.',
    TENANT_MISMATCH: ({ entity }) =>
      `A unit of work of one tenant cannot write a ${entity} of another. Use the other tenant's own unit of work.`,
    STATEMENT_REFUSED: ({ statement, reason }) => `${statement} is refused: ${REFUSAL_REASONS[reason]}`,
    TENANT_SUSPENDED: ({ tenant }) =>
      `Tenant ${quoted(tenant)} is suspended: its data can be read, not written. Nothing was written; make it active again with tenants.resume first.`,
    TENANT_DELETED: ({ tenant }) => `Tenant ${quoted(tenant)} was deleted: its data can be neither read nor written.`,
    QUOTA_EXCEEDED: ({ tenant, quota, limit, needed }) =>
      `Tenant ${quoted(tenant)} may have ${String(limit)} ${QUOTAS[quota] ?? quota}, and would have ${String(needed)}. Nothing was written; raise the quota with tenants.update, ${quota.endsWith('PerMonth') ? 'or wait for the next month' : 'or remove what is no longer needed'}.`,
    INVALID_STATE: ({ entity, key, state, operation }) =>
      `${entity} ${quoted(key)} is ${state}; it cannot ${operation} any more. Read it again before deciding.`,
    VERSION_CONFLICT: ({ entity, key, current }) =>
      `${entity} ${quoted(key)} was changed by somebody else since it was read${current === undefined ? '' : `; its version is ${String(current)} now`}. Read it again and repeat the change.`,
    IDEMPOTENCY_CONFLICT: ({ idempotencyKey, difference }) =>
      `Idempotency key ${quoted(idempotencyKey)} was used before with another ${difference}. Use a new key for a new request.`,
    TRANSACTION_CONFLICT: () =>
      'The unit of work met concurrent ones that change the same rows, and was rolled back each time it was tried. Nothing was written; try again later, or change fewer rows at once.',
    OUTCOME_UNKNOWN: () =>
      'The connection was lost while the database was committing: the unit of work was stored whole, or not at all. Read what it would have written before it is repeated; a call with an idempotency key, which was repeated a few times already, may be repeated under it at any time.',
    CONFIGURATION_INVALID: ({ problems }) => `The configuration is not valid: ${problems.join('; ')}.`,
    DATABASE_UNAVAILABLE: ({ database, reason }) =>
      `${database} cannot be opened: ${reason}. Check DATABASE_URL and that the file or server is there.`,
    CACHE_UNAVAILABLE: () =>
      'Redis cannot be reached. What is to be forgotten is forgotten when it can be, as long as this process lives; check the server, and REDIS_URL.',
    DATABASE_LOCKED: () =>
      'The database is locked by another process and did not become free within the busy timeout. Nothing was written; try again, or end the process that holds it.',
    DATABASE_TIMEOUT: () =>
      'The database cancelled a statement that took longer than statementTimeout. Nothing was written; try again, or raise the limit in DATABASE_URL.',
    DATABASE_FULL: () => 'The disk or the database is full. Nothing was written; make room, then try again.',
    DATABASE_LIMIT: ({ setting, limit }) =>
      `A statement is larger than the database takes at once${limit === undefined ? '' : ` (${String(limit)} bytes)`}. Nothing was written; raise ${setting} of the server, or write less at once.`,
    DATABASE_READ_ONLY: ({ reason }) => READ_ONLY_REASONS[reason],
    DATABASE_CORRUPT: () =>
      'The file is not an SQLite database, or it is damaged. Check the path; restore it from a copy.',
    DATABASE_FAILED: ({ nativeCode }) =>
      `The database refused a statement (${nativeCode}). The unit of work was rolled back; see "cause".`,
    SCHEMA_MISMATCH: ({ database, problem, migrations }) =>
      `The schema of ${database} does not fit this version of Colloquy: ${SCHEMA_PROBLEMS[problem](migrations.join(', '))}`,
    MIGRATION_INTERRUPTED: ({ migration, direction, reason }) =>
      `The migration ${migration} stopped half-way (${reason}), and this database keeps what it has done so far. Remove the cause, then run "colloquy migrate ${direction}" again: it begins this migration anew and leaves those before it as they are.`,
    ARCHIVE_UNREADABLE: ({ file, reason }) => `${file} cannot be imported: ${reason}.`,
    ARCHIVE_REJECTED: ({ file, line, reason }) =>
      `${file}:${String(line)}: ${reason}. The import was strict: nothing was written.`,
    COPY_REFUSED: ({ tenant, reason, differences: [first], issues }) => {
      const row = `${String(first?.table)} ${String(first?.id)}`;
      const rules = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
      return `Tenant ${quoted(tenant)} cannot be copied: ${COPY_REASONS[reason](row, rules)}`;
    },
    UNIT_OF_WORK_ENDED: () =>
      'The unit of work ended before this call inside it did. Await every call before its function returns.',
    PERSISTENCE_CLOSED: () => 'This PersistenceManager is closed. Open another one with PersistenceManager.open().',
  },
  rules: {
    allowed: (names) => `cannot be set here; ${list(names)} can`,
    areScopes: () => 'must be names of scopes, such as messages:write',
    arrayMaxSize: (max) => `must not have more than ${String(max)} entries`,
    arrayUnique: () => 'must not name an entry twice',
    check: () => 'is not one of the allowed values',
    cursor: () => 'must be the "next" of an earlier page',
    denseSequence: () => 'must continue the sequence of the conversation without a gap; use messages.append',
    hasContent: () => 'must not be empty in a text message without parts',
    isArray: () => 'must be a list',
    isDay: () => 'must be a calendar day written YYYY-MM-DD',
    isEmail: () => 'must be an e-mail address',
    isExternalId: (max) =>
      `must be 1 to ${String(max)} characters without control characters and without white space at its ends`,
    isHash: () => 'must be 64 hexadecimal digits',
    isIn: (values) => `must be one of ${list(values)}`,
    isInstant: () => 'must be a valid time between the years 1 and 9999',
    isInt: () => 'must be a whole number',
    isJsonArray: (size, depth) => `must be a JSON array of at most ${String(size)} bytes and ${String(depth)} levels`,
    isJsonObject: (size, depth) => `must be a JSON object of at most ${String(size)} bytes and ${String(depth)} levels`,
    isLanguageTag: () => 'must be a language tag of BCP 47, such as zh-Hans',
    isMediaType: () => 'must be a media type, such as text/markdown',
    isMoney: () => 'must be a decimal number of at most nine digits before and six after the point',
    isNotBefore: (other) => `must not be before ${String(other)}`,
    isNumber: () => 'must be a finite number',
    isObject: () => 'must be an object',
    isPhone: () => 'must be a telephone number in E.164 form, such as +14155550123',
    isPrefix: () => 'must be 12 lower-case letters and digits',
    isQuota: (names) => `must have whole numbers from 0, and no names but ${list(names)}`,
    isSlug: () => 'must be 1 to 63 lower-case letters, digits or single hyphens between them',
    isString: () => 'must be given as text',
    isText: (min, max) =>
      `must be text of ${String(min)} to ${String(max)} characters without NUL and without lone surrogates`,
    isUuid: (version) => `must be a UUID of version ${String(version)}`,
    kept: (name) => `is kept together with other rows; use ${String(name)}`,
    known: () => 'is unknown here',
    limit: (max) => `must be a whole number from 1 to ${String(max)}`,
    max: (max) => `must not be greater than ${String(max)}`,
    min: (min) => `must not be less than ${String(min)}`,
    notNull: () => 'must not be missing',
    oneKind: () => 'must be entities of one class',
    protoKey: () => 'has a key __proto__, which an upsert would lose; insert the row, or update it',
    range: () => 'is longer or greater than its column takes',
    seq: () => 'must be a sequence number',
    storable: () => 'must be text without NUL',
    tenantKey: () => 'must be the properties of a unique key, with the tenant among them',
    together: (other) => `must come together with ${String(other)}`,
    type: () => 'has a value of the wrong kind',
    version: () => 'must be the version that was read, a whole number',
  },
  otherRule: 'is not valid',
};

const QUOTAS: Readonly<Record<string, string>> = {
  users: 'users',
  conversations: 'conversations',
  messagesPerMonth: 'messages a month',
  tokensPerMonth: 'tokens a month',
  storageBytes: 'bytes of documents',
};

const READ_ONLY_REASONS = {
  database: 'The database is read-only. Check the permissions of the file and of its folder, or of the server.',
  read: 'A unit of work of read() cannot write: use transaction().',
  'replica read': 'A read of a replica cannot write: write after it, or read without { replica: true }.',
} as const;

const REFUSAL_REASONS = {
  sql: "nothing keeps SQL to the tenant of a unit of work. Use the unit of work's queries, or SQL that names the tenant itself inside persistence.withEntityManager.",
  tenant: "a unit of work is one tenant's to its end. Use the other tenant's own.",
  filter: 'it would take the place of what keeps tenants apart, here and in every fork. Give it another name.',
  printed: 'MikroORM would print its values into the SQL. Bind them in a condition, or by em.execute.',
  transaction: 'outside of a transaction Kysely knows of no tenant here. Use it inside transactional().',
} as const;

const SCHEMA_PROBLEMS = {
  newer: (names: string) =>
    `it has migrations that this code does not know (${names}). Use a newer version of Colloquy.`,
  changed: (names: string) =>
    `migrations were edited after they had been applied (${names}). Restore their files and put the change into a new migration.`,
  pending: (names: string) => `migrations are pending (${names}). Run "colloquy migrate up" first.`,
  foreign: () => 'it holds tables that Colloquy did not make. Choose another database.',
} as const;

const COPY_REASONS = {
  'other tenant': () =>
    'the target has another tenant of this name. Nothing of it was written; copy into another database.',
  'other rows': (row: string) =>
    `the target has rows of it that are not the source's, such as ${row}. Nothing of it was written; copy into a database that does not have this tenant, also if an earlier copy into this one was interrupted and the source has changed since.`,
  'invalid row': (row: string, rules: string) =>
    `${row} breaks rules (${rules}). Correct it in the source and copy again; what was copied stays, and is not copied twice.`,
} as const;
