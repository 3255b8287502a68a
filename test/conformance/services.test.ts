import { describe, expect, it } from 'vitest';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { codeOf, open, openChat } from '../support/conformance.js';
import { ENGINES } from '../support/engines.js';

/** Steps by a second each time it is read. */
function steppingClock() {
  let time = Date.parse('2026-01-01T12:00:00.000Z');
  return { now: () => new Date((time += 1_000)) };
}

/** The same bytes in every run. */
function countingRandom() {
  let next = 0;
  return { bytes: (length: number) => Uint8Array.from({ length }, () => (next += 7) & 255) };
}

const NOTHING = '01890000-0000-7000-8000-000000000000';

type Outcome = unknown;

/** Calls every service, with input that is right and input that is not, and notes what each call gave or failed with. */
async function tryEverything(persistence: PersistenceManager): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const note = async <T>(call: Promise<T>): Promise<T> => {
    const noted = call.then(
      (value) => outcomes.push(structuredClone(value)),
      (error: unknown) => outcomes.push(outcomeOf(error)),
    );
    await noted;
    return call.catch(() => undefined as T);
  };
  await note(
    persistence.tenants.ensure({ slug: 'acme', name: 'Acme', config: { z: 1, a: { y: [1.5, null], b: 'ü' } } }),
  );
  await note(persistence.tenants.ensure({ slug: 'Not a slug\0', name: '' }));
  await note(persistence.tenants.ensure({ slug: 'beta', name: 'Beta', plan: 'premium' }));
  await note(persistence.tenants.get('a\0b'));
  await note(persistence.tenants.list({ limit: 1 }));
  const acme = persistence.tenant('acme');

  const ada = await note(acme.users.create({ externalId: 'u-1', username: '\u{1F600} ada', email: 'ada@example.com' }));
  await note(acme.users.create({ externalId: 'u-1', username: 'twin' }));
  await note(acme.users.create({ externalId: 'u-2', username: '', phone: '1' }));
  for (const id of [NOTHING, 'nonsense', '', ada.id.toUpperCase()]) await note(acme.users.get(id));
  await note(acme.users.getByExternalId('u\0'));
  await note(acme.users.update(ada.id, { nickname: "O'Brien \\ ? ?? $1", metadata: { b: [], a: {} } }));
  await note(acme.users.list());

  const chat = await note(acme.conversations.start({ userId: ada.id, externalId: 'c-1', metadata: { z: 0, a: -0.5 } }));
  for (const userId of [NOTHING, 'nonsense', ada.id.toUpperCase()]) await note(acme.conversations.start({ userId }));
  await note(acme.conversations.start({ userId: 'nonsense', title: '' }));
  await note(acme.conversations.start({ userId: ada.id, externalId: 'c-1' }));
  await note(acme.conversations.list({ userId: 'nonsense' }));
  await note(acme.conversations.list({ userId: ada.id }));

  const parts = [{ type: 'image', url: 'x', size: 1e21 }, 'text', 3, null, true];
  await note(acme.messages.append(chat.id, { role: 'user', content: 'hi', parts }, { idempotencyKey: 'k' }));
  await note(acme.messages.append(chat.id, { role: 'user', content: 'hi', parts }, { idempotencyKey: 'k' }));
  await note(acme.messages.append(chat.id, { role: 'user', content: 'other' }, { idempotencyKey: 'k' }));
  for (let index = 0; index < 3; index++)
    await note(acme.messages.append(chat.id, { role: 'tool', content: 'x', tokenCount: 2_147_483_647 }));
  await note(acme.messages.append(chat.id, { role: 'user', content: 'a\0b' }));
  await note(acme.messages.append('nonsense', { role: 'user', content: 'x' }));
  await note(acme.messages.append(NOTHING, { role: 'user', content: 'x' }));
  await note(acme.messages.history(chat.id, { last: 2 }));
  await note(acme.messages.history(chat.id, { after: 1, limit: 2 }));
  await note(acme.messages.history(chat.id, { before: Number.MAX_SAFE_INTEGER }));
  await note(acme.messages.history('nonsense'));
  await note(acme.conversations.archive(chat.id));
  await note(acme.messages.append(chat.id, { role: 'user', content: 'late' }));
  await note(acme.conversations.get(chat.id));

  await note(
    acme.documents.create({ externalId: 'd-1', title: 'T', content: '退款政策\r\n\t\u2028', metadata: { b: 1, a: 2 } }),
  );
  await note(acme.documents.getByExternalId('d-1'));
  const startTime = new Date('0001-01-01T00:00:00.000Z');
  const call = await note(acme.voiceSessions.start({ externalId: 'v-1', userId: ada.id, startTime }));
  const endTime = new Date('9999-12-31T23:59:59.999Z');
  await note(acme.voiceSessions.complete(call.id, { endTime, audioDurationSeconds: 0.1 }));
  await note(acme.voiceSessions.cancel(call.id));
  await note(acme.voiceSessions.list({ userId: ada.id }));
  await note(acme.voiceSessions.start({ externalId: 'v-2', userId: ada.id, conversationId: 'nonsense' }));

  const { key, apiKey } = await note(acme.apiKeys.create({ name: 'k', scopes: ['b:c', 'a'] }));
  await note(acme.apiKeys.verify(key));
  await note(acme.apiKeys.revoke(apiKey.id));
  await note(acme.apiKeys.verify(key));
  await note(acme.apiKeys.create({ name: 'k', userId: 'nonsense' }));

  const used = { provider: 'p', model: 'm', day: '2026-01-02' };
  for (const costUsd of ['0.1', '12.25', '100'])
    await note(acme.usage.add({ ...used, userId: ada.id, costUsd, requests: 3_000_000_000 }));
  await note(acme.usage.add({ ...used, userId: 'nonsense' }));
  await note(acme.usage.add({ ...used, model: 'm\0' }));
  await note(acme.usage.list({ from: '2026-01-01', to: '2026-01-31' }));

  const beta = persistence.tenant('beta');
  await note(beta.conversations.get(chat.id));
  await note(beta.conversations.start({ userId: ada.id }));
  await note(beta.messages.append(chat.id, { role: 'user', content: 'x' }));
  outcomes.push((await persistence.stats()).rows, (await acme.stats()).rows);
  return outcomes;
}

/** An error as callers see it, without what names the database. */
function outcomeOf(error: unknown): unknown {
  const { message, ...fields } = (error as { toJSON(): Record<string, unknown> }).toJSON();
  return { message, ...fields };
}

async function run(url: string): Promise<Outcome[]> {
  // Engines have not the same number of migrations, and each one looks at the clock.
  await open(url);
  return tryEverything(await open(url, { clock: steppingClock(), random: countingRandom() }));
}

describe.each(ENGINES)('$name: the services', ({ freshUrl }) => {
  it('keep what they are given', async () => {
    const { acme, chatId } = await openChat(await freshUrl());
    const metadata = { zebra: 1, apple: [{ y: 1, x: null }], 10: 'ten', '\u{1F600}': ' spaces ' };
    await acme.conversations.update(chatId, { metadata, title: "it's ?? $1 \\ 100%" });
    const read = await acme.conversations.get(chatId);
    expect(JSON.stringify(read.metadata)).toBe(JSON.stringify(metadata));
    expect(read.title).toBe("it's ?? $1 \\ 100%");
  });

  it('write nothing of a unit of work that fails', async () => {
    const { acme, chatId } = await openChat(await freshUrl());
    const failing = acme.transaction(async ({ conversations }) => {
      (await conversations.get(chatId)).title = 'changed';
      await acme.messages.append(chatId, { role: 'user', content: 'x' });
      throw new RangeError('stop');
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await acme.conversations.get(chatId)).toMatchObject({ title: 'chat', messageCount: 0, version: 1 });
  });

  it('keep tenants apart, by id and by reference', async () => {
    const { persistence, chatId, userId } = await openChat(await freshUrl());
    await persistence.tenants.ensure({ slug: 'other', name: 'Other' });
    const other = persistence.tenant('other');
    expect(await codeOf(other.conversations.get(chatId))).toBe('NOT_FOUND');
    expect(await codeOf(other.conversations.update(chatId, { title: 'mine' }))).toBe('NOT_FOUND');
    expect(await codeOf(other.messages.append(chatId, { role: 'user', content: 'x' }))).toBe('NOT_FOUND');
    expect(await codeOf(other.conversations.start({ userId }))).toBe('REFERENCE_NOT_FOUND');
    expect((await other.users.list()).items).toEqual([]);
  });
});

it.runIf(ENGINES.length > 1)('every call gives the same, and fails the same, on every engine', async () => {
  const [first = [], ...others] = await Promise.all(ENGINES.map(async ({ freshUrl }) => run(await freshUrl())));
  expect(first.length).toBeGreaterThan(60);
  for (const other of others) expect(other).toEqual(first);
});
