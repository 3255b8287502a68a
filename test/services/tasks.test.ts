import { describe, expect, it } from 'vitest';
import { Task } from '../../src/entities/task.js';
import {
  AlreadyExistsError,
  IdempotencyConflictError,
  InvalidStateError,
  NotFoundError,
  ReferenceNotFoundError,
  ValidationError,
} from '../../src/errors.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openAcme, openManager, populate } from '../support/open-manager.js';
import { brokenRules, rejectionOf } from '../support/rejection.js';

const TASK = { workflowId: 'wf-1', query: 'Book a table for two' };
const END = {
  provider: 'openai',
  model: 'gpt',
  promptTokens: 5_000_000_000,
  completionTokens: 7,
  costUsd: '123456789.000001',
  agentsUsed: 2,
  toolsInvoked: 3,
  cacheHits: 1,
  complexityScore: 0.25,
};

describe('a task', () => {
  it('is pending, with its defaults', async () => {
    const { tenant, tenantId, clock } = await openAcme();
    const task = await tenant.tasks.create(TASK);
    expect(task).toEqual({
      ...TASK,
      tenantId,
      id: expect.any(String),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      userId: null,
      mode: null,
      result: null,
      errorMessage: null,
      provider: null,
      model: null,
      promptTokens: 0,
      completionTokens: 0,
      costUsd: '0',
      startTime: null,
      endTime: null,
      durationMs: null,
      agentsUsed: 0,
      toolsInvoked: 0,
      cacheHits: 0,
      complexityScore: null,
      triggerType: 'request',
      schedule: null,
      metadata: {},
      status: 'pending',
      version: 1,
    });
    expect(await tenant.tasks.get(task.id)).toEqual(task);
    expect(await tenant.tasks.getByWorkflowId('wf-1')).toEqual(task);
  });

  it('runs, and is completed with what it has used', async () => {
    const { tenant, userId, clock } = await openAcme();
    const metadata = { a: 1, b: 1 };
    const { id } = await tenant.tasks.create({ ...TASK, userId, mode: 'deep', schedule: '0 9 * * *', metadata });
    const started = await tenant.tasks.start(id);
    expect(started).toMatchObject({ status: 'running', startTime: clock.now() });
    clock.advance(1_500);
    const completed = await tenant.tasks.complete(id, 'At seven', { ...END, metadata: { b: 2 } });
    expect(completed).toEqual({
      ...started,
      ...END,
      result: 'At seven',
      metadata: { a: 1, b: 2 },
      endTime: clock.now(),
      updatedAt: clock.now(),
      durationMs: 1_500,
      status: 'completed',
      version: 3,
    });
    expect(await tenant.tasks.get(id)).toEqual(completed);
  });

  it('fails with a message, or is cancelled, also before it has begun', async () => {
    const { tenant } = await openAcme();
    const failed = await tenant.tasks.create(TASK);
    expect(await tenant.tasks.fail(failed.id, 'no table', { costUsd: '0.5' })).toMatchObject({
      status: 'failed',
      errorMessage: 'no table',
      costUsd: '0.5',
      durationMs: null,
    });
    const cancelled = await tenant.tasks.create({ ...TASK, workflowId: 'wf-2' });
    expect((await tenant.tasks.cancel(cancelled.id)).status).toBe('cancelled');
  });

  it('leaves no state in another way than the machine says, and ends once', async () => {
    const { tenant } = await openAcme();
    const { tasks } = tenant;
    const { id } = await tasks.create(TASK);
    const pending = await rejectionOf(tasks.complete(id, null), InvalidStateError);
    expect(pending).toMatchObject({ entity: 'task', state: 'pending', operation: 'be completed' });
    await tasks.start(id);
    await rejectionOf(tasks.start(id), InvalidStateError);
    await tasks.cancel(id);
    for (const call of [
      () => tasks.start(id),
      () => tasks.complete(id, 'x'),
      () => tasks.fail(id, 'x'),
      () => tasks.cancel(id),
    ]) {
      expect((await rejectionOf(call(), InvalidStateError)).state).toBe('cancelled');
    }
    const flushed = tenant.transaction(async (unit) => {
      (await unit.tasks.get(id)).status = 'running';
    });
    await rejectionOf(flushed, InvalidStateError);
    const native = tenant.transaction((unit) => unit.tasks.nativeUpdate({ id }, { status: 'running' }));
    expect(brokenRules(await rejectionOf(native, ValidationError))).toEqual(['status kept']);
    expect((await tasks.get(id)).status).toBe('cancelled');
  });

  it('is started by one of many who try at once', async () => {
    const url = await freshUrl();
    const { tenant } = await openAcme({ url });
    const { persistence: second } = await openManager({ url, seed: 2 });
    const { id } = await tenant.tasks.create(TASK);
    const starts = await Promise.allSettled(
      Array.from({ length: 16 }, (_unused, index) =>
        (index % 2 === 0 ? tenant : second.tenant('acme')).tasks.start(id),
      ),
    );
    const failures = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason as unknown] : []));
    expect(failures).toHaveLength(15);
    for (const failure of failures) expect(failure).toBeInstanceOf(InvalidStateError);
  });

  it('is refused with everything that is wrong', async () => {
    const { tenant } = await openAcme();
    const invalid = tenant.tasks.create({ workflowId: ' x', query: '', mode: '', triggerType: 'whim' } as never);
    expect(brokenRules(await rejectionOf(invalid, ValidationError))).toEqual([
      'mode isText',
      'query isText',
      'triggerType isIn',
      'workflowId isExternalId',
    ]);
    const { id } = await tenant.tasks.create(TASK);
    await tenant.tasks.start(id);
    const end = { costUsd: '1.0000001', promptTokens: -1, endTime: new Date('1999-01-01T00:00:00Z'), status: 'failed' };
    const ended = await rejectionOf(tenant.tasks.complete(id, '\0', end as never), ValidationError);
    expect(brokenRules(ended)).toEqual([
      'costUsd isMoney',
      'endTime isNotBefore',
      'promptTokens min',
      'result isText',
      'status allowed',
    ]);
    expect((await tenant.tasks.get(id)).status).toBe('running');
  });

  it('has one workflow, a user of its tenant, and is made once under a key', async () => {
    const { persistence, tenant } = await openAcme();
    const beta = await populate(persistence, 'beta');
    const first = await tenant.tasks.create(TASK, { idempotencyKey: 'req-1' });
    expect(await tenant.tasks.create(TASK, { idempotencyKey: 'req-1' })).toEqual(first);
    const other = { ...TASK, query: 'Another' };
    await rejectionOf(tenant.tasks.create(other, { idempotencyKey: 'req-1' }), IdempotencyConflictError);
    await rejectionOf(tenant.tasks.create(TASK), AlreadyExistsError);
    const strange = tenant.tasks.create({ ...TASK, workflowId: 'wf-2', userId: beta.userId });
    await rejectionOf(strange, ReferenceNotFoundError);
    await rejectionOf(beta.tenant.tasks.get(first.id), NotFoundError);
    await rejectionOf(beta.tenant.tasks.getByWorkflowId('wf-1'), NotFoundError);
    await rejectionOf(beta.tenant.tasks.start(first.id), NotFoundError);
  });

  it('is listed with the others of its user, the newest first', async () => {
    const { tenant, userId } = await openAcme();
    const made = [];
    for (const workflowId of ['a', 'b', 'c']) {
      made.push((await tenant.tasks.create({ ...TASK, workflowId, userId })).id);
    }
    await tenant.tasks.create(TASK);
    const { items, next } = await tenant.tasks.list({ userId, limit: 2 });
    expect(items.map(({ id }) => id)).toEqual(made.toReversed().slice(0, 2));
    const rest = await tenant.tasks.list({ userId, limit: 2, after: next ?? '' });
    expect(rest.items.map(({ id }) => id)).toEqual([made[0]]);
  });

  it('is one of the entities', async () => {
    const { tenant } = await openAcme();
    await tenant.tasks.create(TASK);
    expect(await tenant.transaction(({ em }) => em.count(Task))).toBe(1);
    expect((await tenant.stats()).rows).toMatchObject({ tasks: 1 });
  });
});
