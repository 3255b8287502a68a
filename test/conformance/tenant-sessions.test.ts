import { TransactionPropagation } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { describe, expect, it } from 'vitest';
import { User } from '../../src/entities/index.js';
import { StatementRefusedError } from '../../src/errors.js';
import { runStatement } from '../../src/repositories/statement.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { codeOf, open } from '../support/conformance.js';
import { ENGINES, withParameter } from '../support/engines.js';
import { type Furnished, furnish } from '../support/furnish.js';

const POSTGRESQL = ENGINES.filter(({ name }) => name === 'postgresql');

// A file without tests is an error.
if (POSTGRESQL.length === 0) it.skip('sessions of tenants', () => undefined);

interface World {
  readonly persistence: PersistenceManager;
  readonly acme: Furnished;
  readonly beta: Furnished;
}

async function openWorld(url: string): Promise<World> {
  const persistence = await open(url);
  return { persistence, acme: await furnish(persistence, 'acme'), beta: await furnish(persistence, 'beta') };
}

const SELECT = 'select id from users where id = ?';

/** How a statement gets out of a unit of work of acme, past every filter; each gives the rows that it found for an id. */
type Door = (world: World, id: string) => Promise<readonly unknown[]>;

const select = async (em: SqlEntityManager, id: string): Promise<unknown[]> => runStatement(em, SELECT, [id]);

const DOORS: readonly (readonly [what: string, door: Door])[] = [
  ['a statement of a unit of work', ({ acme }, id) => acme.tenant.transaction(({ em }) => select(em, id))],
  ['a statement of a unit of work that reads', ({ acme }, id) => acme.tenant.read(({ em }) => select(em, id))],
  ['a fork of one that reads', ({ acme }, id) => acme.tenant.read(({ em }) => select(em.fork(), id))],
  [
    'a transaction in one that reads',
    ({ acme }, id) => acme.tenant.read(({ em }) => em.transactional((inner) => select(inner, id))),
  ],
  [
    "the connection, in the unit of work's transaction",
    ({ acme }, id) =>
      acme.tenant.transaction(({ em }) =>
        em.getDriver().getConnection().execute<unknown[]>(SELECT, [id], 'all', em.getTransactionContext()),
      ),
  ],
  [
    'a nested transaction',
    ({ acme }, id) => acme.tenant.transaction(({ em }) => em.transactional((inner) => select(inner, id))),
  ],
  [
    'a transaction of its own inside',
    ({ acme }, id) =>
      acme.tenant.transaction(({ em }) =>
        em.transactional((inner) => select(inner, id), { propagation: TransactionPropagation.REQUIRES_NEW }),
      ),
  ],
  [
    'a unit of work inside a transaction over several tenants',
    ({ persistence, acme, beta }, id) =>
      persistence.transaction(async () => {
        await beta.tenant.users.list();
        return acme.tenant.transaction(({ em }) => select(em, id));
      }),
  ],
  [
    "a unit of work inside another tenant's",
    ({ acme, beta }, id) =>
      beta.tenant.transaction(async (outer) => {
        await select(outer.em, id);
        return acme.tenant.read(({ em }) => select(em, id));
      }),
  ],
  [
    "a transaction of its own inside a unit of work inside another tenant's",
    ({ acme, beta }, id) =>
      beta.tenant.transaction(() =>
        acme.tenant.transaction(({ em }) =>
          em.transactional((inner) => select(inner, id), { propagation: TransactionPropagation.REQUIRES_NEW }),
        ),
      ),
  ],
  [
    'an entity manager that was given the tenant',
    ({ persistence, acme }, id) =>
      persistence.withEntityManager(async (em) => {
        em.setFilterParams('tenant', { tenantId: acme.tenantId });
        return select(em, id);
      }),
  ],
  [
    'an entity manager that was given the tenant inside a transaction',
    ({ persistence, acme }, id) =>
      persistence.withEntityManager((em) =>
        em.transactional(async (inner) => {
          await select(inner, id);
          inner.setFilterParams('tenant', { tenantId: acme.tenantId });
          return select(inner, id);
        }),
      ),
  ],
];

const WRITES: readonly (readonly [what: string, write: (em: SqlEntityManager, world: World) => Promise<unknown>])[] = [
  ['update', (em, { beta }) => runStatement(em, `update users set nickname = 'stolen' where id = ?`, [beta.userId])],
  ['delete', (em, { beta }) => runStatement(em, 'delete from documents where id = ?', [beta.documentId])],
  [
    'insert',
    (em, { beta }) =>
      runStatement(
        em,
        `insert into users (tenant_id, id, created_at, updated_at, external_id, username, metadata)
         values (?, '01890000-0000-7000-8000-000000000001', now(), now(), 'x', 'x', '{}')`,
        [beta.tenantId],
      ),
  ],
  [
    'upsert',
    (em, { beta }) =>
      runStatement(
        em,
        `insert into users (tenant_id, id, created_at, updated_at, external_id, username, metadata)
         values (?, ?, now(), now(), 'x', 'x', '{}') on conflict (tenant_id, id) do update set nickname = 'stolen'`,
        [beta.tenantId, beta.userId],
      ),
  ],
  [
    'change of tenant',
    async (em, { acme, beta }) => {
      // What refers to it would keep it.
      await runStatement(em, 'delete from document_terms where document_id = ?', [acme.documentId]);
      await runStatement(em, 'update documents set tenant_id = ? where id = ?', [beta.tenantId, acme.documentId]);
    },
  ],
];

const count = async (em: SqlEntityManager): Promise<number> => {
  const [row] = await runStatement<{ total: number }>(em, 'select count(*) as total from users');
  return row?.total ?? 0;
};

/** Who the server takes an entity manager's statements for. */
const sessionOf = async (em: SqlEntityManager): Promise<unknown> => {
  const sql = `select current_user = session_user as is_self, coalesce(current_setting('colloquy.tenant_id', true), '') as tenant`;
  return (await runStatement(em, sql))[0];
};

const rowsOfBeta = ({ beta }: World) =>
  beta.tenant.read(async ({ em }) => [
    await runStatement(em, 'select * from users'),
    await runStatement(em, 'select * from documents'),
  ]);

/** The names that a stream of all users gives. */
const names = async (em: SqlEntityManager): Promise<string[]> => {
  const found: string[] = [];
  for await (const user of em.stream(User, {})) found.push(user.username);
  return found;
};

/** Counts in a nested transaction that is taken back, and gives the reason. */
const undone = async (em: SqlEntityManager): Promise<unknown> =>
  em
    .transactional(async (inner) => {
      await count(inner);
      throw new RangeError('changed my mind');
    })
    .catch((error: unknown) => error);

describe.each(POSTGRESQL)('$name: where no filter stands', ({ freshUrl: freshDatabase }) => {
  const freshUrl = async (rowLevelSecurity = 'true'): Promise<string> =>
    withParameter(await freshDatabase(), 'rowLevelSecurity', rowLevelSecurity);

  it.each(DOORS)("%s finds its own tenant's row and no other", async (_what, door) => {
    const world = await openWorld(await freshUrl());
    expect(await door(world, world.acme.userId)).toHaveLength(1);
    expect(await door(world, world.beta.userId)).toEqual([]);
  });

  // With the same statements, so that each is shown to be able to find a row.
  it.each(DOORS)('%s finds both without row-level security', async (_what, door) => {
    const world = await openWorld(await freshUrl('false'));
    expect(await door(world, world.acme.userId)).toHaveLength(1);
    expect(await door(world, world.beta.userId)).toHaveLength(1);
  });

  it.each(WRITES)("%s changes no other tenant's rows", async (_what, write) => {
    const world = await openWorld(await freshUrl());
    const before = await rowsOfBeta(world);
    const code = await codeOf(world.acme.tenant.transaction(({ em }) => write(em, world)));
    expect(['resolved', 'TENANT_MISMATCH']).toContain(code);
    expect(await rowsOfBeta(world)).toEqual(before);
  });

  it.each(WRITES)('%s changes them without row-level security', async (_what, write) => {
    const world = await openWorld(await freshUrl('false'));
    const before = await rowsOfBeta(world);
    await world.acme.tenant.transaction(({ em }) => write(em, world));
    expect(await rowsOfBeta(world)).not.toEqual(before);
  });

  it('streams a tenant its own rows, in a transaction and without one', async () => {
    const { acme } = await openWorld(await freshUrl());
    expect(await acme.tenant.read(({ em }) => names(em))).toEqual(['user of acme']);
    expect(await acme.tenant.transaction(({ em }) => names(em))).toEqual(['user of acme']);
  });

  it('a stream that is left gives its connection back', async () => {
    const { acme } = await openWorld(withParameter(await freshUrl(), 'poolSize', '1'));
    await acme.tenant.read(async ({ em }) => {
      for await (const user of em.stream(User, {})) {
        expect(user.username).toBe('user of acme');
        break;
      }
    });
    expect(await acme.tenant.read(({ em }) => count(em))).toBe(1);
  });

  it('Kysely is refused where it would run in no session', async () => {
    const { persistence, acme } = await openWorld(await freshUrl());
    const call = persistence.withEntityManager(async (em) => {
      em.setFilterParams('tenant', { tenantId: acme.tenantId });
      return em.getKysely();
    });
    await expect(call).rejects.toThrow(StatementRefusedError);
  });
});

describe.each(POSTGRESQL)(
  '$name: units of work of several tenants in one transaction',
  ({ freshUrl: freshDatabase }) => {
    const freshUrl = async (): Promise<string> => withParameter(await freshDatabase(), 'rowLevelSecurity', 'true');
    /** As many users as its name has letters, so that a count tells whose it is. */
    async function openCounted(): Promise<World> {
      const world = await openWorld(await freshUrl());
      await world.beta.tenant.users.create({ externalId: 'second', username: 'second' });
      return world;
    }

    it('each have their own session, in whatever order their statements come', async () => {
      const { persistence, acme, beta } = await openCounted();
      const counts = await acme.tenant.transaction(async (outer) => {
        const inner = beta.tenant.transaction(async (unit) => [
          await count(unit.em),
          ...(await Promise.all([count(outer.em), count(unit.em), select(outer.em, acme.userId), count(unit.em)])),
          (await persistence.tenants.list()).items.length,
          await count(unit.em),
        ]);
        return [...(await Promise.all([count(outer.em), inner, count(outer.em)])), await count(outer.em)];
      });
      expect(counts).toEqual([1, [2, 1, 2, [{ id: acme.userId }], 2, 2, 2], 1, 1]);
    });

    it('have it back when the one inside failed, by a statement or by itself', async () => {
      const { acme, beta } = await openCounted();
      const counts = await acme.tenant.transaction(async ({ em }) => {
        const before = await count(em);
        const broken = beta.tenant.transaction(async (unit) => {
          await count(unit.em);
          await runStatement(unit.em, 'select 1/0');
        });
        expect(await codeOf(broken)).toBe('DATABASE_FAILED');
        const between = await count(em);
        const changed = beta.tenant.transaction(async (unit) => {
          await count(unit.em);
          throw new RangeError('changed my mind');
        });
        await expect(changed).rejects.toThrow(RangeError);
        return [before, between, await count(em), await beta.tenant.read((unit) => count(unit.em))];
      });
      expect(counts).toEqual([1, 1, 1, 2]);
    });

    it('keep it when a nested transaction takes back the statement that brought it', async () => {
      const { persistence, acme, beta } = await openCounted();
      const counts = await acme.tenant.transaction(async ({ em }) => {
        expect(await undone(em)).toBeInstanceOf(RangeError);
        return count(em);
      });
      expect(counts).toBe(1);
      const shared = await persistence.transaction(async () =>
        acme.tenant.transaction(async ({ em }) => {
          const inside = beta.tenant.transaction((unit) => undone(unit.em).then(() => count(unit.em)));
          return [await inside, await count(em)];
        }),
      );
      expect(shared).toEqual([2, 1]);
    });

    it('leave the connecting user in his own session', async () => {
      const { persistence, acme, beta } = await openWorld(withParameter(await freshUrl(), 'poolSize', '1'));
      const own = { is_self: true, tenant: '' };
      const session = () => persistence.withEntityManager(sessionOf);
      expect(await acme.tenant.read(({ em }) => sessionOf(em))).toEqual({ is_self: false, tenant: acme.tenantId });
      expect(await session()).toEqual(own);
      await codeOf(acme.tenant.transaction(({ em }) => runStatement(em, 'select 1/0')));
      expect(await session()).toEqual(own);
      await persistence.transaction(async () => {
        await acme.tenant.users.list();
        await persistence.tenants.ensure({ slug: 'gamma', name: 'Gamma' });
        await beta.tenant.users.list();
      });
      expect(await session()).toEqual(own);
      expect((await persistence.tenants.get('gamma')).name).toBe('Gamma');
    });

    it('are counted over all tenants, in a transaction too', async () => {
      const { persistence, acme } = await openCounted();
      expect((await persistence.stats()).rows).toMatchObject({ tenants: 2, users: 3 });
      const inside = await acme.tenant.transaction(async ({ em }) => [
        (await persistence.stats()).rows['users'],
        (await acme.tenant.stats()).rows['users'],
        await count(em),
      ]);
      expect(inside).toEqual([3, 1, 1]);
    });
  },
);
