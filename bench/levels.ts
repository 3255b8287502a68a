import type Database from 'better-sqlite3';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Conversation, Message, type Row } from '../src/index.js';
import { type FixedStatement, type Planned, type RawRow, runPlanAtOnce, type Step } from '../src/database/plan.js';
import type { BoundSqliteConnection } from '../src/database/sqlite-driver.js';
import { compiledTableOf } from '../src/repositories/compiled-table.js';
import { appendPlansOf, history, newMessage } from '../src/repositories/message.repository.js';
import { byId, pageOf } from '../src/repositories/read-plans.js';
import { connectionOf } from '../src/repositories/statement.js';
import { runtimeOf } from '../src/runtime.js';
import type { Opened } from './arenas.js';
import { rowOf, servicesOf } from './colloquy.js';
import type { Fixture, NewMessage, Side } from './side.js';

type Run = <Result>(plan: Planned<Result>) => unknown;
type MakeRow = (message: NewMessage) => Row<Message>;

const bare: MakeRow = (message) => rowOf(message, 1, new Date());

/** The services' plans, run and given their messages in some way. */
function planned(
  em: SqlEntityManager,
  { tenantId, userId }: Fixture,
  ways: { read: Run; write: Run; row: MakeRow },
): Side {
  const [messages, conversations] = [compiledTableOf(em, Message), compiledTableOf(em, Conversation)];
  const plans = appendPlansOf(em);
  const { read, write, row } = ways;
  return {
    append(message) {
      const made = row(message);
      return write(() => plans.appendAlone([made]));
    },
    last50: (conversationId) => read(() => history(messages, tenantId, conversationId, { last: 50 })),
    byId: (id) => read(() => byId(messages, tenantId, id)),
    list: () => read(() => pageOf(conversations, tenantId, 'userId', userId, { limit: 20 })),
    close: async () => undefined,
  };
}

/** Runs plans on the driver's connection as they come, each write in a transaction: their statements, and the rows made of them. */
function atOnce(database: Database.Database): { readonly read: Run; readonly write: Run } {
  const prepared = new Map<FixedStatement, Database.Statement>();
  const send = ({ statement, values }: Step): readonly RawRow[] => {
    let native = prepared.get(statement);
    if (!native) prepared.set(statement, (native = database.prepare(statement.sql.replace('limit ?', 'limit ? + 0'))));
    const bound = values.map((value) => (value instanceof Date ? value.getTime() : value));
    if (native.reader) return native.all(bound) as RawRow[];
    native.run(bound);
    return [];
  };
  const [begin, commit] = [database.prepare('begin immediate'), database.prepare('commit')];
  return {
    read: (plan) => runPlanAtOnce(plan(), send),
    write(plan) {
      begin.run();
      const result = runPlanAtOnce(plan(), send);
      commit.run();
      return result;
    },
  };
}

/**
 * What a call passes through, as sides of their own, each of which does what the one before does, and something more: the plan's
 * statements, run at once (SQLite alone); the engine's runner of plans, with its queue and promises; a message that is made of what its
 * author gives, and judged; the services.
 */
export async function levelsOf({ persistence, database }: Opened, fixture: Fixture): Promise<Map<string, Side>> {
  const em = persistence.orm.em as unknown as SqlEntityManager;
  const connection = connectionOf(em);
  const { tenantId } = fixture;
  const runner: { readonly read: Run; readonly write: Run } = {
    read: (plan) => connection.plans.read(plan, tenantId),
    write: (plan) => connection.plans.write(plan, tenantId),
  };
  const runtime = runtimeOf(em);
  const judged: MakeRow = ({ conversationId, content, tokenCount, idempotencyKey }) =>
    newMessage(
      runtime,
      tenantId,
      conversationId,
      { role: 'user', content, tokenCount },
      { idempotencyKey },
    ) as Row<Message>;
  const levels = new Map<string, Side>();
  if (database.engine === 'sqlite') {
    const native = await (connection as unknown as BoundSqliteConnection).getNativeClient();
    levels.set('statements', planned(em, fixture, { ...atOnce(native), row: bare }));
  }
  levels.set('runner', planned(em, fixture, { ...runner, row: bare }));
  levels.set('judged', planned(em, fixture, { ...runner, row: judged }));
  return levels.set('services', servicesOf(persistence, fixture));
}
