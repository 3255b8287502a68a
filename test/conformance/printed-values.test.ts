import { raw } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { describe, expect, it } from 'vitest';
import { Tenant } from '../../src/entities/index.js';
import { StatementRefusedError } from '../../src/errors.js';
import { ENGINES } from '../support/engines.js';
import { useSharedWorld } from '../support/shared-world.js';

const HOSTILE = "x' or 1 = 1 --";

/** Where MikroORM takes SQL without values beside it, and so prints those that it has. */
const PLACES: readonly (readonly [where: string, query: (em: SqlEntityManager) => Promise<unknown>])[] = [
  ['an order', (em) => em.find(Tenant, {}, { orderBy: { [raw('slug = ?', [HOSTILE])]: 'asc' } })],
  [
    'a list of what is selected',
    (em) =>
      em
        .createQueryBuilder(Tenant)
        .select(raw('? as x', [HOSTILE]))
        .execute(),
  ],
  [
    'a condition',
    (em) =>
      em
        .createQueryBuilder(Tenant)
        .where(raw('slug = ?', [HOSTILE]))
        .execute(),
  ],
  [
    'a sub-query',
    async (em) =>
      em
        .createQueryBuilder(Tenant)
        .withSubQuery(raw('select ?', [HOSTILE]), 'x')
        .execute(),
  ],
  ['a mark of its own before it', (em) => em.find(Tenant, {}, { orderBy: { [raw("'\\??' = ?", [HOSTILE])]: 'asc' } })],
  ['a text for people', async (em) => em.createQueryBuilder(Tenant).where({ slug: HOSTILE }).getFormattedQuery()],
];

describe.each(ENGINES)('$name: a value that would be printed into the SQL is refused', ({ freshUrl }) => {
  const world = useSharedWorld(freshUrl);

  it.each(PLACES)('in %s', async (_where, query) => {
    await expect(world().persistence.withEntityManager(query)).rejects.toThrow(StatementRefusedError);
  });

  it('and an identifier is not', async () => {
    const found = await world().persistence.withEntityManager(async (em) => {
      const query = em.createQueryBuilder(Tenant).select(raw('?? as ??', ['slug', 'x']));
      return query.where({ slug: 'beta' }).execute<{ x: string }[]>();
    });
    expect(found).toEqual([{ x: 'beta' }]);
  });
});
