import { expect, it } from 'vitest';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { engineUnderTest } from '../support/engine-under-test.js';
import { createGate } from '../support/gate.js';
import { openAcme, type OpenedManager, populate, type Populated } from '../support/open-manager.js';
import { sentStatements } from '../support/sent-statements.js';

const MANY = 40;

type Outcome = PromiseSettledResult<{ readonly seq: number }>;

async function conversationsOf({ tenant, userId }: Pick<Populated, 'tenant' | 'userId'>): Promise<string[]> {
  const started = Array.from({ length: MANY }, () => tenant.conversations.start({ userId }));
  return (await Promise.all(started)).map(({ id }) => id);
}

async function open(): Promise<OpenedManager & Populated & { readonly conversations: readonly string[] }> {
  // What the cache tells of a change is no statement of the append's.
  const acme = await openAcme({ cache: false });
  return { ...acme, conversations: await conversationsOf(acme) };
}

function append(tenant: TenantContext, conversationId: string, content: string, idempotencyKey?: string) {
  return tenant.messages.append(conversationId, { role: 'user', content }, { idempotencyKey });
}

async function contentsOf(tenant: TenantContext, conversations: readonly string[]): Promise<string[][]> {
  const histories = conversations.map((id) => tenant.messages.history(id));
  return (await Promise.all(histories)).map((history) => history.map(({ content }) => content));
}

function codeOf(outcome: Outcome | undefined): string {
  if (outcome?.status !== 'rejected') return String(outcome?.status);
  return (outcome.reason as { readonly code: string }).code;
}

it('appends of many callers to conversations of two tenants are each stored once, in their own', async () => {
  const { persistence, tenant, conversations } = await open();
  const beta = await populate(persistence, 'beta');
  const others = await conversationsOf(beta);
  const made = await Promise.all(
    conversations.flatMap((id, index) => [
      append(tenant, id, `acme ${String(index)}`),
      append(beta.tenant, others[index] ?? '', `beta ${String(index)}`),
    ]),
  );
  expect(made.map(({ seq }) => seq)).toEqual(made.map(() => 1));
  expect(await contentsOf(tenant, conversations)).toEqual(conversations.map((_id, index) => [`acme ${String(index)}`]));
  expect(await contentsOf(beta.tenant, others)).toEqual(others.map((_id, index) => [`beta ${String(index)}`]));
});

it('an append that fails among many at once fails alone', async () => {
  const { tenant, conversations } = await open();
  const [archived = '', twice = '', first = '', second = '', ...rest] = conversations;
  await tenant.conversations.archive(archived);
  await append(tenant, twice, 'the first', 'used');
  const outcomes: Outcome[] = await Promise.allSettled([
    ...rest.map((id) => append(tenant, id, 'one of many')),
    append(tenant, archived, 'too late'),
    append(tenant, '019b796d-d600-7a00-821f-000000000000', 'to nobody'),
    append(tenant, twice, 'another one', 'used'),
    append(tenant, twice, 'the first', 'used'),
    append(tenant, first, 'first come', 'free'),
    append(tenant, second, 'first served', 'free'),
    ...rest.map((id) => append(tenant, id, 'and once more')),
  ]);
  const [ofArchived, ofNobody, conflicting, repeated, ...ofFree] = outcomes.slice(rest.length, rest.length + 6);
  expect(codeOf(ofArchived)).toBe('INVALID_STATE');
  expect(codeOf(ofNobody)).toBe('NOT_FOUND');
  expect(codeOf(conflicting)).toBe('IDEMPOTENCY_CONFLICT');
  expect(repeated).toMatchObject({ value: { seq: 1, content: 'the first' } });
  expect(ofFree.map(codeOf).toSorted((a, b) => a.localeCompare(b))).toEqual(['fulfilled', 'IDEMPOTENCY_CONFLICT']);
  const stored = await contentsOf(tenant, rest);
  expect(stored).toEqual(rest.map(() => ['one of many', 'and once more']));
  expect((await contentsOf(tenant, [first, second])).flat()).toHaveLength(1);
  expect(await contentsOf(tenant, [archived, twice])).toEqual([[], ['the first']]);
});

it('a conversation that a unit of work holds keeps nobody from appending to others', async ({ skip }) => {
  skip(engineUnderTest.name === 'sqlite', 'a database of one writer has no rows that are held');
  const { tenant, conversations } = await open();
  const [held = '', ...others] = conversations;
  const [isHeld, isFree] = [createGate(), createGate()];
  const holding = tenant.transaction(async ({ messages }) => {
    await messages.append(held, { role: 'assistant', content: 'as long as I think' });
    isHeld.open();
    await isFree.opened;
  });
  await isHeld.opened;
  const meanwhile = others.map((id) => append(tenant, id, 'meanwhile'));
  const waiting = append(tenant, held, 'after that');
  await Promise.all([...meanwhile, ...others.map((id) => append(tenant, id, 'and once more'))]);
  isFree.open();
  await Promise.all([holding, waiting]);
  expect(await contentsOf(tenant, [held, ...others])).toEqual([
    ['as long as I think', 'after that'],
    ...others.map(() => ['meanwhile', 'and once more']),
  ]);
});

it('appends of two tenants that would wait for one another go to the server together', async ({ skip }) => {
  skip(!['postgresql', 'pgbouncer'].includes(engineUnderTest.name), 'elsewhere each has a transaction of its own');
  const { persistence, tenant, conversations } = await open();
  const beta = await populate(persistence, 'beta');
  const others = await conversationsOf(beta);
  const sent = await sentStatements(persistence);
  await Promise.all([
    ...conversations.map((id) => append(tenant, id, 'one of many')),
    ...others.map((id) => append(beta.tenant, id, 'one of many')),
  ]);
  expect(sent.length, sent.join('\n')).toBeLessThan(MANY);
});
