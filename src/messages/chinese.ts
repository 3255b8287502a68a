import type { Catalog } from './catalog.js';

const quoted = (key: string): string => JSON.stringify(key);
const list = (values: unknown): string => (Array.isArray(values) ? values.join('、') : String(values));

/** Identifiers, and what a driver or a file's reader has said, stay as they are. */
export const chinese: Catalog = {
  errors: {
    VALIDATION_FAILED: ({ entity, issues }) =>
      `${entity} 无效：${issues.map(({ path, message }) => `${path} ${message}`).join('；')}。`,
    NOT_FOUND: ({ entity, key }) => `这里没有 ${entity} ${quoted(key)}。请检查标识符，并确认它属于该租户。`,
    ALREADY_EXISTS: ({ constraint }) => `已存在 ${constraint} 相同的记录。请读取该记录，或换用其他键。`,
    REFERENCE_NOT_FOUND: () => '所引用的记录在该租户中不存在，或该记录仍被引用。请先创建被引用的记录。',
    TENANT_MISMATCH: ({ entity }) => `一个租户的工作单元不能写入另一租户的 ${entity}。请使用对方租户自己的工作单元。`,
    STATEMENT_REFUSED: ({ statement, reason }) => `${statement} 被拒绝：${REFUSAL_REASONS[reason]}`,
    TENANT_SUSPENDED: ({ tenant }) =>
      `租户 ${quoted(tenant)} 已被暂停：其数据可读，不可写。未写入任何内容；请先用 tenants.resume 恢复。`,
    TENANT_DELETED: ({ tenant }) => `租户 ${quoted(tenant)} 已被删除：其数据既不可读，也不可写。`,
    QUOTA_EXCEEDED: ({ tenant, quota, limit, needed }) =>
      `租户 ${quoted(tenant)} 的${QUOTAS[quota] ?? quota}上限为 ${String(limit)}，此次写入后将达到 ${String(needed)}。未写入任何内容；请用 tenants.update 提高配额，${quota.endsWith('PerMonth') ? '或等到下个月' : '或删除不再需要的内容'}。`,
    INVALID_STATE: ({ entity, key, state, operation }) =>
      `${entity} ${quoted(key)} 处于 ${state} 状态，不再允许此操作（${operation}）。请重新读取后再决定。`,
    VERSION_CONFLICT: ({ entity, key, current }) =>
      `${entity} ${quoted(key)} 在读取之后已被他人修改${current === undefined ? '' : `，当前版本为 ${String(current)}`}。请重新读取并再次修改。`,
    IDEMPOTENCY_CONFLICT: ({ idempotencyKey, difference }) =>
      `幂等键 ${quoted(idempotencyKey)} 曾用于${difference === 'request' ? '另一个' : ` ${difference} 不同的`}请求。新请求请使用新的键。`,
    TRANSACTION_CONFLICT: () =>
      '该工作单元与修改相同记录的并发工作单元冲突，每次尝试都被回滚。未写入任何内容；请稍后重试，或一次修改更少的记录。',
    OUTCOME_UNKNOWN: () =>
      '数据库提交时连接中断：该工作单元要么已全部保存，要么完全没有保存。重复之前请先读取它应写入的内容；带幂等键的调用已自动重试数次，仍可随时用同一键重复。',
    CONFIGURATION_INVALID: ({ problems }) => `配置无效：${problems.join('；')}。`,
    DATABASE_UNAVAILABLE: ({ database, reason }) =>
      `无法打开 ${database}：${reason}。请检查 DATABASE_URL，并确认文件或服务器存在。`,
    CACHE_UNAVAILABLE: () =>
      '无法连接 Redis。只要本进程仍在运行，待清除的内容会在 Redis 恢复后清除；请检查服务器与 REDIS_URL。',
    DATABASE_LOCKED: () => '数据库被另一进程锁定，在等待时限内未释放。未写入任何内容；请重试，或结束持有锁的进程。',
    DATABASE_TIMEOUT: () =>
      '数据库取消了一条超过 statementTimeout 的语句。未写入任何内容；请重试，或在 DATABASE_URL 中提高时限。',
    DATABASE_FULL: () => '磁盘或数据库已满。未写入任何内容；请腾出空间后重试。',
    DATABASE_LIMIT: ({ setting, limit }) =>
      `语句超出了数据库一次可接受的大小${limit === undefined ? '' : `（${String(limit)} 字节）`}。未写入任何内容；请提高服务器的 ${setting}，或减少一次写入的内容。`,
    DATABASE_READ_ONLY: ({ reason }) => READ_ONLY_REASONS[reason],
    DATABASE_CORRUPT: () => '该文件不是 SQLite 数据库，或已损坏。请检查路径，并从副本恢复。',
    DATABASE_FAILED: ({ nativeCode }) => `数据库拒绝了一条语句（${nativeCode}）。工作单元已回滚；详见 "cause"。`,
    SCHEMA_MISMATCH: ({ database, problem, migrations }) =>
      `${database} 的结构与此版本的 Colloquy 不符：${SCHEMA_PROBLEMS[problem](migrations.join('、'))}`,
    MIGRATION_INTERRUPTED: ({ migration, direction, reason }) =>
      `迁移 ${migration} 中途停止（${reason}），此数据库会保留已完成的部分。请先消除原因，再运行 "colloquy migrate ${direction}"：它会从头执行这个迁移，之前的迁移保持不变。`,
    ARCHIVE_UNREADABLE: ({ file, reason }) => `无法导入 ${file}：${reason}。`,
    ARCHIVE_REJECTED: ({ file, line, reason }) =>
      `${file}:${String(line)}：${reason}。本次导入为严格模式：未写入任何内容。`,
    COPY_REFUSED: ({ tenant, reason, differences: [first], issues }) => {
      const row = `${String(first?.table)} ${String(first?.id)}`;
      const rules = issues.map(({ path, message }) => `${path} ${message}`).join('；');
      return `无法复制租户 ${quoted(tenant)}：${COPY_REASONS[reason](row, rules)}`;
    },
    UNIT_OF_WORK_ENDED: () => '工作单元在其内部的这次调用完成之前已经结束。请在函数返回前等待每一次调用。',
    PERSISTENCE_CLOSED: () => '该 PersistenceManager 已关闭。请用 PersistenceManager.open() 重新打开。',
  },
  rules: {
    allowed: (names) => `不能在此设置；可以设置的有 ${list(names)}`,
    areScopes: () => '必须是权限范围的名称，例如 messages:write',
    arrayMaxSize: (max) => `不得超过 ${String(max)} 项`,
    arrayUnique: () => '不得有重复的项',
    check: () => '不是允许的值',
    cursor: () => '必须是先前某页的 "next"',
    denseSequence: () => '必须无间断地延续会话的序号；请使用 messages.append',
    hasContent: () => '在没有 parts 的文本消息中不得为空',
    isArray: () => '必须是列表',
    isDay: () => '必须是形如 YYYY-MM-DD 的日期',
    isEmail: () => '必须是电子邮件地址',
    isExternalId: (max) => `必须是 1 到 ${String(max)} 个字符，不含控制字符，首尾没有空白`,
    isHash: () => '必须是 64 位十六进制数字',
    isIn: (values) => `必须是 ${list(values)} 之一`,
    isInstant: () => '必须是公元 1 年至 9999 年之间的有效时间',
    isInt: () => '必须是整数',
    isJsonArray: (size, depth) => `必须是 JSON 数组，至多 ${String(size)} 字节、${String(depth)} 层`,
    isJsonObject: (size, depth) => `必须是 JSON 对象，至多 ${String(size)} 字节、${String(depth)} 层`,
    isLanguageTag: () => '必须是 BCP 47 语言标签，例如 zh-Hans',
    isMediaType: () => '必须是媒体类型，例如 text/markdown',
    isMoney: () => '必须是小数点前至多九位、后至多六位的十进制数',
    isNotBefore: (other) => `不得早于 ${String(other)}`,
    isNumber: () => '必须是有限的数',
    isObject: () => '必须是对象',
    isPhone: () => '必须是 E.164 格式的电话号码，例如 +14155550123',
    isPrefix: () => '必须是 12 位小写字母和数字',
    isQuota: (names) => `的值必须是不小于 0 的整数，且只能有这些名称：${list(names)}`,
    isSlug: () => '必须是 1 到 63 个小写字母、数字，或其间的单个连字符',
    isString: () => '必须是文本',
    isText: (min, max) => `必须是 ${String(min)} 到 ${String(max)} 个字符的文本，不含 NUL 和孤立的代理项`,
    isUuid: (version) => `必须是版本 ${String(version)} 的 UUID`,
    kept: (name) => `与其他记录一并维护；请使用 ${String(name)}`,
    known: () => '在此不存在',
    limit: (max) => `必须是 1 到 ${String(max)} 的整数`,
    max: (max) => `不得大于 ${String(max)}`,
    min: (min) => `不得小于 ${String(min)}`,
    notNull: () => '不得缺失',
    oneKind: () => '必须是同一个类的实体',
    protoKey: () => '含有名为 __proto__ 的键，upsert 会丢失它；请改用插入或更新',
    range: () => '超出了该列可容纳的长度或大小',
    seq: () => '必须是序号',
    storable: () => '必须是不含 NUL 的文本',
    tenantKey: () => '必须是某个唯一键的属性，其中包括租户',
    together: (other) => `必须与 ${String(other)} 一同给出`,
    type: () => '的值类型不正确',
    version: () => '必须是读取到的版本，且为整数',
  },
  otherRule: '无效',
};

const QUOTAS: Readonly<Record<string, string>> = {
  users: '用户数',
  conversations: '会话数',
  messagesPerMonth: '每月消息数',
  tokensPerMonth: '每月 token 数',
  storageBytes: '文档字节数',
};

const READ_ONLY_REASONS = {
  database: '数据库是只读的。请检查文件及其所在文件夹的权限，或服务器的设置。',
  read: 'read() 的工作单元不能写入：请使用 transaction()。',
  'replica read': '读取副本的操作不能写入：请在其后写入，或读取时不用 { replica: true }。',
} as const;

const REFUSAL_REASONS = {
  sql: '没有什么能把 SQL 限制在工作单元的租户之内。请使用工作单元的查询，或在 persistence.withEntityManager 中使用自行指明租户的 SQL。',
  tenant: '一个工作单元自始至终属于一个租户。请使用对方租户自己的工作单元。',
  filter: '它会在此处及每个分支中取代区分租户的过滤器。请换用其他名称。',
  printed: 'MikroORM 会把其中的值写进 SQL 文本。请在条件中绑定，或使用 em.execute。',
  transaction: '在事务之外，Kysely 不知道当前租户。请在 transactional() 中使用。',
} as const;

const SCHEMA_PROBLEMS = {
  newer: (names: string) => `它含有此代码不认识的迁移（${names}）。请使用更新版本的 Colloquy。`,
  changed: (names: string) => `有迁移在应用之后被修改（${names}）。请恢复原文件，把改动放进新的迁移。`,
  pending: (names: string) => `有待应用的迁移（${names}）。请先运行 "colloquy migrate up"。`,
  foreign: () => '它含有并非由 Colloquy 建立的表。请换用其他数据库。',
} as const;

const COPY_REASONS = {
  'other tenant': () => '目标数据库中已有另一个同名租户。未写入该租户的任何内容；请复制到其他数据库。',
  'other rows': (row: string) =>
    `目标数据库中有该租户的记录与来源不同，例如 ${row}。未写入该租户的任何内容；请复制到没有该租户的数据库。若先前的复制曾中断，而来源此后有改动，也应如此。`,
  'invalid row': (row: string, rules: string) =>
    `${row} 不符合规则（${rules}）。请在来源中更正后再次复制；已复制的内容会保留，不会重复。`,
} as const;
