import { describe, expect, it } from 'vitest';
import { DOCUMENT_CONTENT_MAX, MESSAGE_CONTENT_MAX } from '../../src/entities/rules.js';
import { User } from '../../src/index.js';
import { freshUrl } from '../support/engine-under-test.js';
import { SEED } from '../support/inputs/refuse-faults.js';
import { expectRoundTrip } from '../support/inputs/round-trip.js';
import { VALID_PATHS } from '../support/inputs/valid-paths.js';
import { useSharedWorld } from '../support/shared-world.js';

const RUNS = Math.ceil(2_000 / VALID_PATHS.length);
const world = useSharedWorld(freshUrl);

describe(`what is valid comes back as it was (COLLOQUY_TEST_SEED=${String(SEED)})`, () => {
  it.each(VALID_PATHS.map((path) => [path.name, path] as const))('by %s', async (_name, path) => {
    await expectRoundTrip(world(), path, RUNS);
  });
});

it('names of properties that JSON writes with a backslash come back as they were, whatever was read before', async () => {
  const { tenant, userId, conversationId } = await world().anotherTenant();
  for (const name of ['\\', '"', '\n', '\\n', '\nx']) {
    const metadata = { place: 0, [name]: { place: 0, [name]: 0 } };
    const { id } = await tenant.messages.append(conversationId, { role: 'user', content: name, metadata });
    expect((await tenant.messages.get(id)).metadata).toStrictEqual(metadata);
    const [last] = await tenant.messages.history(conversationId, { last: 1 });
    expect(last?.metadata).toStrictEqual(metadata);
    await tenant.users.update(userId, { metadata });
    const read = await tenant.transaction(({ em }) => em.findOneOrFail(User, { id: userId }));
    expect(read.metadata).toStrictEqual(metadata);
    const input = { externalId: JSON.stringify(name), title: 'named', content: 'named', metadata };
    const created = await tenant.documents.create(input, { idempotencyKey: input.externalId });
    expect(created.metadata).toStrictEqual(metadata);
    const again = await tenant.documents.create(input, { idempotencyKey: input.externalId });
    expect(again.metadata).toStrictEqual(metadata);
  }
});

it('texts of the greatest length come back as they were', async () => {
  const { tenant, userId, conversationId } = await world().anotherTenant();
  const content = '退'.repeat(MESSAGE_CONTENT_MAX);
  const { id } = await tenant.messages.append(conversationId, { role: 'user', content });
  expect((await tenant.messages.get(id)).content === content).toBe(true);
  const summary = '😀'.repeat(50_000);
  const chat = await tenant.conversations.start({ userId, summary });
  expect((await tenant.conversations.get(chat.id)).summary === summary).toBe(true);
  const text = 'word '.repeat(DOCUMENT_CONTENT_MAX / 5);
  const document = await tenant.documents.create({ externalId: 'long', title: 'long', content: text });
  expect((await tenant.documents.get(document.id)).content === text).toBe(true);
});
