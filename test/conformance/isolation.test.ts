import { describe, expect, it } from 'vitest';
import { User } from '../../src/entities/index.js';
import { ENGINES } from '../support/engines.js';
import { PROBE_COUNT, PROBES } from '../support/isolation/index.js';
import { useSharedWorld } from '../support/shared-world.js';

describe.each(ENGINES)(`$name: ${String(PROBE_COUNT)} ways to another tenant's rows`, ({ freshUrl }) => {
  const world = useSharedWorld(freshUrl);
  let before = '';

  describe.each(Object.entries(PROBES))('%s', (_way, probes) => {
    it.each(probes)('$name', async ({ verdict }) => {
      const { persistence, beta, anotherTenant, rowsOf } = world();
      before ||= await rowsOf(beta.tenantId);
      const acme = await anotherTenant();
      expect(await verdict({ persistence, acme, beta })).toBeUndefined();
      expect(await rowsOf(beta.tenantId)).toBe(before);
    });
  });

  it.each([
    ['that was never given one', undefined],
    ['whose parameters lack it', {}],
    ['whose parameter is null', { tenantId: null }],
    ['whose parameter is empty', { tenantId: '' }],
  ])(
    'an entity manager without a tenant, %s, fails at every query rather than find nothing or all',
    async (_what, parameters) => {
      await world().persistence.withEntityManager(async (em) => {
        if (parameters) em.setFilterParams('tenant', parameters);
        await expect(em.find(User, {})).rejects.toThrow();
        await expect(em.count(User, {})).rejects.toThrow();
        await expect(em.nativeDelete(User, {})).rejects.toThrow();
        await expect(em.nativeUpdate(User, {}, { nickname: 'x' })).rejects.toThrow();
        await expect(em.upsert(User, { externalId: 'x', username: 'x' })).rejects.toThrow();
      });
    },
  );
});

it('at least forty ways are tried, and each has a name of its own', () => {
  const names = Object.entries(PROBES).flatMap(([way, probes]) => probes.map(({ name }) => `${way}: ${name}`));
  expect(new Set(names).size).toBe(PROBE_COUNT);
  expect(PROBE_COUNT).toBeGreaterThanOrEqual(40);
});
