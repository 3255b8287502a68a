import { describe, expect, it } from 'vitest';
import {
  AlreadyExistsError,
  InvalidStateError,
  NotFoundError,
  ReferenceNotFoundError,
  ValidationError,
} from '../../src/errors.js';
import { openAcme } from '../support/open-manager.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';

const NOTHING = '019b796d-d600-7a00-821f-000000000000';
const ENDS = [
  ['complete', 'completed'],
  ['fail', 'failed'],
  ['cancel', 'cancelled'],
] as const;

async function openWithCall() {
  const opened = await openAcme();
  const { tenant, userId, conversationId } = opened;
  const input = { externalId: 'call-1', userId, conversationId, config: { voice: 'alto' }, metadata: { a: 1, b: 2 } };
  return { ...opened, calls: tenant.voiceSessions, input, session: await tenant.voiceSessions.start(input) };
}

describe('start', () => {
  it('gives an active session that begins now and has no end', async () => {
    const { calls, session, input, tenantId, clock } = await openWithCall();
    expect(session).toEqual({
      ...input,
      tenantId,
      id: expect.any(String),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      startTime: clock.now(),
      endTime: null,
      durationSeconds: null,
      audioDurationSeconds: null,
      status: 'active',
      version: 1,
    });
    expect(await calls.get(session.id)).toEqual(session);
    expect(await calls.getByExternalId('call-1')).toEqual(session);
  });

  it('may begin at another time and without a conversation', async () => {
    const { calls, userId } = await openWithCall();
    const startTime = new Date('2020-02-02T02:02:02.020Z');
    expect(await calls.start({ externalId: 'call-2', userId, startTime })).toMatchObject({
      startTime,
      conversationId: null,
    });
  });

  it('refuses a key that is taken, and a user or conversation that is not there', async () => {
    const { calls, input } = await openWithCall();
    const taken = await rejectionOf(calls.start(input), AlreadyExistsError);
    expect(taken.constraint).toBe('voice_sessions.external_id');
    await rejectionOf(calls.start({ ...input, externalId: 'x', userId: NOTHING }), ReferenceNotFoundError);
    await rejectionOf(calls.start({ ...input, externalId: 'x', conversationId: NOTHING }), ReferenceNotFoundError);
    await rejectionOf(calls.start({ ...input, externalId: 'x', conversationId: '' }), ReferenceNotFoundError);
  });
});

describe.each(ENDS)('%s', (end, status) => {
  it(`makes a session ${status}, with its end and how long it was`, async () => {
    const { calls, session, clock } = await openWithCall();
    clock.advance(90_500);
    const ended = await calls[end](session.id, { audioDurationSeconds: 61.25, metadata: { b: 3, c: 4 } });
    expect(ended).toEqual({
      ...session,
      status,
      endTime: clock.now(),
      updatedAt: clock.now(),
      durationSeconds: 90.5,
      audioDurationSeconds: 61.25,
      metadata: { a: 1, b: 3, c: 4 },
      version: 2,
    });
    expect(await calls.get(session.id)).toEqual(ended);
  });

  it.each(ENDS)(`is refused after %s, and changes nothing`, async (other, state) => {
    const { calls, session, clock } = await openWithCall();
    const ended = await calls[other](session.id);
    clock.advance(1000);
    const error = await rejectionOf(calls[end](session.id, { metadata: { late: true } }), InvalidStateError);
    expect(error).toMatchObject({ entity: 'voice session', key: session.id, state });
    expect(await calls.get(session.id)).toEqual(ended);
  });

  it('is refused before the start', async () => {
    const { calls, session } = await openWithCall();
    const endTime = new Date(session.startTime.getTime() - 1);
    const error = await rejectionOf(calls[end](session.id, { endTime }), ValidationError);
    expect(brokenRules(error)).toEqual(['endTime isNotBefore']);
    expect(await calls.get(session.id)).toEqual(session);
  });

  it('may be at the very start', async () => {
    const { calls, session } = await openWithCall();
    expect(await calls[end](session.id, { endTime: session.startTime })).toMatchObject({ durationSeconds: 0 });
  });

  it('of what is not there is refused', async () => {
    const { calls } = await openWithCall();
    const error = await rejectionOf(calls[end](NOTHING), NotFoundError);
    expect(error).toMatchObject({ entity: 'voice session', key: NOTHING });
  });
});

it('only one of several ends at once is the end', async () => {
  const { calls, session } = await openWithCall();
  const outcomes = await Promise.allSettled(ENDS.map(async ([end]) => calls[end](session.id)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect((await calls.get(session.id)).version).toBe(2);
});

it('what is not there is said to be missing, by entity and key', async () => {
  const { calls } = await openWithCall();
  expect(await rejectionOf(calls.get(NOTHING), NotFoundError)).toMatchObject({ entity: 'voice session', key: NOTHING });
  expect(await rejectionOf(calls.getByExternalId('x'), NotFoundError)).toMatchObject({
    entity: 'voice session',
    key: 'x',
  });
});

it("list gives a user's sessions in pages, the newest first", async () => {
  const { calls, session, userId, tenant } = await openWithCall();
  const other = await tenant.users.create({ externalId: 'other', username: 'other' });
  const made = [session.id];
  for (const externalId of ['b', 'c']) {
    made.unshift((await calls.start({ externalId, userId })).id);
    await calls.start({ externalId: `${externalId}-other`, userId: other.id });
  }
  const first = await calls.list({ userId, limit: 2 });
  const second = await calls.list({ userId, limit: 2, after: first.next ?? '' });
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made);
  expect(second.next).toBeNull();
});
