import { describe, expect, it } from 'vitest';
import { ReferenceNotFoundError, ValidationError } from '../../src/errors.js';
import { openAcme } from '../support/open-manager.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';

const MODEL = { provider: 'openai', model: 'gpt-5' };

describe('add', () => {
  it("begins a record of the clock's day in UTC with what is given, and adds to it", async () => {
    const { tenant, clock } = await openAcme();
    clock.set('2026-02-28T23:59:59.999Z');
    const first = await tenant.usage.add({ ...MODEL, promptTokens: 10, completionTokens: 5, audioSeconds: 1.5 });
    expect(first).toMatchObject({
      ...MODEL,
      userId: null,
      day: '2026-02-28',
      requests: 1,
      promptTokens: 10,
      completionTokens: 5,
      audioSeconds: 1.5,
      costUsd: '0',
    });
    const second = await tenant.usage.add({ ...MODEL, requests: 3, promptTokens: 1, costUsd: '0.1' });
    expect(second).toMatchObject({ id: first.id, requests: 4, promptTokens: 11, completionTokens: 5, costUsd: '0.1' });
    clock.advance(1);
    expect(await tenant.usage.add(MODEL)).toMatchObject({ day: '2026-03-01', requests: 1 });
  });

  it('keeps apart users, the tenant itself, days, providers and models', async () => {
    const { tenant, userId } = await openAcme();
    const inputs = [
      MODEL,
      { ...MODEL, userId },
      { ...MODEL, day: '2026-01-02' },
      { ...MODEL, provider: 'other' },
      { ...MODEL, model: 'other' },
    ];
    for (const input of [...inputs, ...inputs]) await tenant.usage.add(input);
    const records = await tenant.usage.list({ from: '2026-01-01', to: '2026-01-02' });
    expect(records.map(({ requests }) => requests)).toEqual([2, 2, 2, 2, 2]);
  });

  it.each([
    [['0.1', '0.2'], '0.3'],
    [['0.000001', '0.000001'], '0.000002'],
    [['1', '2'], '3'],
    [['1.50', '0.5'], '2'],
    [['999999999', '0.999999'], '999999999.999999'],
    [Array.from({ length: 10 }, () => '0.1'), '1'],
  ])('sums money exactly: %j', async (amounts, sum) => {
    const { tenant } = await openAcme();
    for (const costUsd of amounts) await tenant.usage.add({ ...MODEL, costUsd });
    const records = await tenant.usage.list({ from: '2026-01-01', to: '2026-01-01' });
    expect(records.map(({ costUsd }) => costUsd)).toEqual([sum]);
  });

  it.each(['-1', '1.0000001', '1e3', '0x10', '', ' 1', '1,5', 'NaN'])('refuses %j as money', async (costUsd) => {
    const { tenant } = await openAcme();
    const error = await rejectionOf(tenant.usage.add({ ...MODEL, costUsd }), ValidationError);
    expect(brokenRules(error)).toEqual(['costUsd isMoney']);
    expect(await tenant.usage.list({ from: '2026-01-01', to: '2026-01-01' })).toEqual([]);
  });

  it('refuses more money than the column holds, and keeps what was there', async () => {
    const { tenant } = await openAcme();
    await tenant.usage.add({ ...MODEL, costUsd: '999999999' });
    const error = await rejectionOf(tenant.usage.add({ ...MODEL, costUsd: '1' }), ValidationError);
    expect(brokenRules(error)).toEqual(['costUsd isMoney']);
    expect(await tenant.usage.list({ from: '2026-01-01', to: '2026-01-01' })).toMatchObject([{ costUsd: '999999999' }]);
  });

  it('loses nothing when many add at once', async () => {
    const { tenant } = await openAcme();
    const adds = Array.from({ length: 32 }, () => tenant.usage.add({ ...MODEL, promptTokens: 7, costUsd: '0.01' }));
    await Promise.all(adds);
    expect(await tenant.usage.list({ from: '2026-01-01', to: '2026-01-01' })).toMatchObject([
      { requests: 32, promptTokens: 224, costUsd: '0.32' },
    ]);
  });

  it('refuses a user that is not there', async () => {
    const { tenant } = await openAcme();
    const userId = '019b796d-d600-7a00-821f-000000000000';
    await rejectionOf(tenant.usage.add({ ...MODEL, userId }), ReferenceNotFoundError);
  });
});

it('list gives the days from one to another, both included, in their order', async () => {
  const { tenant } = await openAcme();
  const days = ['2026-01-05', '2025-12-31', '2026-01-01', '2026-01-31', '2026-02-01'];
  for (const day of days) await tenant.usage.add({ ...MODEL, day });
  const list = async (from: string, to: string) => (await tenant.usage.list({ from, to })).map(({ day }) => day);
  expect(await list('2026-01-01', '2026-01-31')).toEqual(['2026-01-01', '2026-01-05', '2026-01-31']);
  expect(await list('2026-01-31', '2026-01-01')).toEqual([]);
});

it.each([
  ['from', { from: 'yesterday', to: '2026-01-01' }],
  ['to', { from: '2026-01-01', to: '2026-02-30' }],
  ['from', { from: undefined, to: '2026-02-01' }],
])('list refuses a day that is none: %s', async (path, range) => {
  const { tenant } = await openAcme();
  const error = await rejectionOf(tenant.usage.list(range as never), ValidationError);
  expect(error.issues.map((issue) => issue.path)).toEqual([path]);
});
