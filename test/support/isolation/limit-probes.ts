import { Document, User } from '../../../src/entities/index.js';
import { StatementRefusedError } from '../../../src/errors.js';
import type { UnitOfWork } from '../../../src/services/unit-of-work.js';
import { type Probe, reading, refused, sees, writing } from './probe.js';

const everyone = {} as const;
/** Those of the rows that are not acme's. */
const foreign = async (unit: UnitOfWork, tenantId: string): Promise<unknown> =>
  (await unit.em.find(User, everyone)).filter(({ tenant }) => tenant.id !== tenantId);

/** What could lift the limit of a unit of work, or put another's in its place. */
export const LIMIT_PROBES: readonly Probe[] = [
  sees(
    'the filters switched off',
    [],
    reading(({ em }, { beta }) => em.find(User, { id: beta.userId }, { filters: false })),
  ),
  sees(
    'the filter of the tenant switched off',
    [],
    reading(({ em }, { beta }) => em.find(User, { id: beta.userId }, { filters: { tenant: false } })),
  ),
  sees(
    "the filter given the other's id",
    [],
    reading(({ em }, { beta }) =>
      em.find(User, { id: beta.userId }, { filters: { tenant: { tenantId: beta.tenantId } } }),
    ),
  ),
  sees(
    'a list of other filters',
    [],
    reading(({ em }, { beta }) => em.find(User, { id: beta.userId }, { filters: ['other'] })),
  ),
  sees(
    'the count without filters',
    0,
    reading(({ em }, { beta }) => em.count(User, { id: beta.userId }, { filters: false })),
  ),
  refused(
    'the parameter of the filter set',
    StatementRefusedError,
    reading(async (unit, { beta }) => {
      unit.em.setFilterParams('tenant', { tenantId: beta.tenantId });
      return unit.em.find(User, everyone);
    }),
  ),
  refused(
    'the parameter of the filter set to nothing',
    StatementRefusedError,
    reading(async (unit) => {
      unit.em.setFilterParams('tenant', {});
      return unit.em.find(User, everyone);
    }),
  ),
  refused(
    'the parameter of the filter of a fork set',
    StatementRefusedError,
    writing(async (unit, { beta }) => {
      const fork = unit.em.fork();
      fork.setFilterParams('tenant', { tenantId: beta.tenantId });
      return fork.find(User, everyone);
    }),
  ),
  sees(
    'the parameter of the filter changed in place',
    [],
    reading(async (unit, { acme, beta }) => {
      unit.em.getFilterParams('tenant')['tenantId'] = beta.tenantId;
      return foreign(unit, acme.tenantId);
    }),
  ),
  refused(
    'a filter of the same name',
    StatementRefusedError,
    reading(async (unit, { acme }) => {
      unit.em.addFilter({ name: 'tenant', cond: {} });
      return foreign(unit, acme.tenantId);
    }),
  ),
  refused('a filter of the same name for everybody', StatementRefusedError, async ({ persistence, acme }) => {
    persistence.orm.em.addFilter({ name: 'tenant', cond: {} });
    return acme.tenant.read((unit) => foreign(unit, acme.tenantId));
  }),
  sees(
    'a filter of another name',
    [],
    reading(async (unit, { acme, beta }) => {
      unit.em.addFilter({ name: 'wide', cond: { $or: [{ tenant: beta.tenantId }, { id: { $ne: null } }] } });
      return foreign(unit, acme.tenantId);
    }),
  ),
  refused(
    'the session of the database',
    StatementRefusedError,
    reading(async ({ em }) => em.setSessionContext({ variables: { x: 'y' } })),
  ),
  refused(
    'the session of the database cleared',
    StatementRefusedError,
    reading(async ({ em }) => em.clearSessionContext()),
  ),
  sees(
    'a fork of its own',
    [],
    reading(({ em }, { beta }) => em.fork().find(User, { id: beta.userId })),
  ),
  sees(
    'a fork without the context',
    [],
    reading(({ em }, { beta }) => em.fork({ disableContextResolution: true }).find(User, { id: beta.userId })),
  ),
  sees(
    'a fork that is a context',
    [],
    reading(({ em }, { beta }) => em.fork({ useContext: true }).find(User, { id: beta.userId })),
  ),
  sees(
    'a transaction inside',
    [],
    writing(({ em }, { beta }) => em.transactional((nested) => nested.find(User, { id: beta.userId }))),
  ),
  sees(
    'a transaction by hand',
    [],
    reading(async ({ em }, { beta }) => {
      const fork = em.fork();
      await fork.begin();
      const found = await fork.find(User, { id: beta.userId });
      await fork.rollback();
      return found;
    }),
  ),
  sees(
    'an entity manager that was cleared',
    [],
    reading(async (unit, { acme }) => {
      unit.em.clear();
      return foreign(unit, acme.tenantId);
    }),
  ),
  sees(
    'no identity map',
    [],
    reading(({ em }, { beta }) => em.find(User, { id: beta.userId }, { disableIdentityMap: true })),
  ),
  sees(
    'the ORM of the unit of work',
    [],
    writing((_unit, { persistence, beta }) => persistence.orm.em.find(User, { id: beta.userId })),
  ),
  sees(
    'the entity manager of a repository',
    [],
    reading(({ users }, { beta }) => users.getEntityManager().find(Document, { id: beta.documentId })),
  ),
  sees('a unit of work after its end', [], async ({ acme, beta }) => {
    const leaked = await acme.tenant.transaction(async (unit) => unit);
    return leaked.em.fork().find(User, { id: beta.userId });
  }),
  sees("a unit of work after its end, inside the other's", [], async ({ acme, beta }) => {
    const leaked = await acme.tenant.read(async (unit) => unit);
    return beta.tenant.read(() => leaked.em.find(User, { id: beta.userId }));
  }),
  sees('units of work of both at once', [1, 1], ({ acme, beta }) =>
    Promise.all(
      [acme, beta].map(({ tenant }) => tenant.read(async ({ em }) => (await em.find(User, everyone)).length)),
    ),
  ),
  sees("a unit of work inside the other's", [], ({ acme, beta }) =>
    beta.tenant.transaction(() => acme.tenant.transaction((unit) => foreign(unit, acme.tenantId))),
  ),
  sees("the other's unit of work, after one inside it", [1, 1], ({ acme, beta }) =>
    beta.tenant.transaction(async ({ em }) => {
      const inside = await acme.tenant.transaction((unit) => unit.em.count(User, everyone));
      return [inside, await em.count(User, everyone)];
    }),
  ),
  sees('a result that the other has cached under a name', [], async ({ acme, beta }) => {
    const cache: [string, number] = [`all of ${acme.tenantId}`, 60_000];
    await beta.tenant.read(({ em }) => em.find(User, everyone, { cache }));
    const found = await acme.tenant.read(({ em }) => em.find(User, everyone, { cache }));
    return found.filter(({ tenant }) => tenant.id !== acme.tenantId);
  }),
  sees('a result that the other has cached under the name that all queries have', [], async ({ acme, beta }) => {
    const found = ({ tenant }: typeof acme, global?: [string, number]) =>
      tenant.read(({ em }) => {
        Object.assign(em.config.get('resultCache'), { global });
        return em.find(User, everyone);
      });
    const cache: [string, number] = [`everything of ${acme.tenantId}`, 60_000];
    await found(beta, cache);
    const seen = await found(acme, cache);
    await found(acme);
    return seen.filter(({ tenant }) => tenant.id !== acme.tenantId);
  }),
  sees('a count that the other has cached under a name', 0, async ({ acme, beta }) => {
    const cache: [string, number] = [`count for ${acme.tenantId}`, 60_000];
    const where = { externalId: 'beta-user' };
    await beta.tenant.read(({ em }) => em.count(User, where, { cache }));
    return acme.tenant.read(({ em }) => em.count(User, where, { cache }));
  }),
  sees("the other's cached result, cleared", 1, async ({ acme, beta }) => {
    const cache: [string, number] = [`kept for ${acme.tenantId}`, 60_000];
    await beta.tenant.read(({ em }) => em.count(User, everyone, { cache }));
    await acme.tenant.read(({ em }) => em.clearCache(cache[0]));
    return beta.tenant.read(async ({ em }) => (await em.tryCache(User, cache, 'x'))?.data);
  }),
  sees("the other's cached result, cleared by the name that it is kept under", 1, async ({ acme, beta }) => {
    const cache: [string, number] = [`held for ${acme.tenantId}`, 60_000];
    const keyOf = ({ tenant }: typeof beta) =>
      tenant.read(async ({ em }) => (await em.tryCache(User, cache, 'x'))?.key ?? '');
    await beta.tenant.read(({ em }) => em.count(User, everyone, { cache }));
    const key = await keyOf(beta);
    await acme.tenant.read(({ em }) => em.clearCache(key));
    return beta.tenant.read(async ({ em }) => (await em.tryCache(User, cache, 'x'))?.data);
  }),
];
