import { raw, sql } from '@mikro-orm/core';
import { Conversation, Document, Message, User } from '../../../src/entities/index.js';
import { StatementRefusedError } from '../../../src/errors.js';
import type { UnitOfWork } from '../../../src/services/unit-of-work.js';
import { type Probe, refused, type Work, writing } from './probe.js';

/** SQL of the caller's own, which nothing keeps to the tenant. */
const ATTEMPTS: readonly (readonly [name: string, work: Work])[] = [
  ['a raw condition', ({ em }) => em.find(User, { [raw('1 = 1 or 1 = 1')]: [] })],
  ['a raw condition under a property', ({ em }) => em.find(User, { username: raw<string>('username or 1 = 1') })],
  ['a raw condition in a list', ({ em }) => em.find(User, { $or: [{ [raw('1 = 1')]: [] }] })],
  ['a condition by a template', ({ em }) => em.find(User, { [sql`1 = ${1} or 1 = 1`]: [] })],
  ['a raw count', ({ em }) => em.count(User, { [raw('1 = 1 or 1 = 1')]: [] })],
  ['a raw update', ({ em }) => em.nativeUpdate(User, { [raw('1 = 1 or 1 = 1')]: [] }, { nickname: 'x' })],
  ['a raw deletion', ({ em }) => em.nativeDelete(Document, { [raw('1 = 1 or 1 = 1')]: [] })],
  ['a raw union', ({ em }) => em.find(User, {}, { unionWhere: [{ [raw('1 = 1')]: [] }] })],
  ['a raw order', ({ em }) => em.find(User, {}, { orderBy: { [raw('(select 1)')]: 'asc' } })],
  [
    'a raw condition of what is populated',
    ({ em }) => em.find(Conversation, {}, { populate: ['user'], populateWhere: { user: { [raw('1 = 1')]: [] } } }),
  ],
  ['a group of SQL', ({ em }) => em.countBy(User, raw('(select 1)'))],
  ['a raw condition of groups', ({ em }) => em.countBy(User, 'status', { having: { [raw('1 = 1')]: [] } })],
  [
    'a query builder as a condition',
    ({ em }, { persistence }) =>
      persistence.withEntityManager((bare) =>
        em.find(User, { id: { $in: bare.createQueryBuilder(User).select('id') as never } }),
      ),
  ],
  ['an index hint', ({ em }) => em.find(User, {}, { indexHint: 'where 1 = 1 --' })],
  ['a comment', ({ em }) => em.find(User, {}, { comments: ['*/ where 1 = 1 --'] })],
  ['a hint in a comment', ({ em }) => em.find(User, {}, { hintComments: ['*/ 1 --'] })],
  [
    'a filter of SQL',
    async ({ em }) => {
      em.addFilter({ name: 'wide', cond: () => ({ [raw('1 = 1 or 1 = 1')]: [] }) as never });
      return em.find(User, {});
    },
  ],
  ['a query builder', async ({ em }) => em.createQueryBuilder(User).select('*').getResultList()],
  ['a query builder by its short name', async ({ em }) => em.qb(User).delete().execute()],
  ['a query builder of a repository', async ({ users }) => users.createQueryBuilder().getResultList()],
  [
    'Kysely',
    async ({ em }) =>
      em
        .getKysely()
        .selectFrom('users' as never)
        .selectAll()
        .execute(),
  ],
  ['execute', ({ em }) => em.execute('select * from users')],
  ['execute of a fork', ({ em }) => em.fork().execute('select * from users')],
  ['execute of a nested transaction', ({ em }) => em.transactional((nested) => nested.execute('select * from users'))],
  ['execute of the connection', async ({ em }) => em.getConnection().execute('select * from users')],
  ['a stream of the connection', async ({ em }) => em.getConnection().stream('select * from users').next()],
  ['the client of the connection', async ({ em }) => em.getConnection().getClient()],
  ['the driver behind the connection', async ({ em }) => em.getConnection().getNativeClient()],
  ['execute of the ORM', (_unit, { persistence }) => (persistence.orm.em as UnitOfWork['em']).execute('select 1')],
  [
    'a copy of a row there',
    ({ em }, { acme, beta }) =>
      em.clone(User, { id: beta.userId }, { tenant: acme.tenantId, id: acme.documentId, externalId: 'copy' }),
  ],
  // It would fail for the row that is there, and otherwise than for one that is not.
  ['a copy of a row there as it is', ({ em }, { beta }) => em.clone(Message, { id: beta.messageId })],
  ['a routine', ({ em }) => em.callRoutine({ name: 'x' } as never, {} as never)],
];

export const SQL_PROBES: readonly Probe[] = ATTEMPTS.map(([name, work]) =>
  refused(name, StatementRefusedError, writing(work)),
);
