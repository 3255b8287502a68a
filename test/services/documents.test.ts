import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AlreadyExistsError, NotFoundError } from '../../src/errors.js';
import { openAcme } from '../support/open-manager.js';
import { rejectionOf } from '../support/rejection.js';

const NOTHING = '019b796d-d600-7a00-821f-000000000000';
const POLICY = { externalId: 'refunds', title: 'Refund policy', content: 'Within 30 days. 三十天内。' };
const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

describe('create', () => {
  it('gives the row with its defaults and the checksum of its content', async () => {
    const { tenant, tenantId, clock } = await openAcme();
    const document = await tenant.documents.create(POLICY);
    expect(document).toEqual({
      ...POLICY,
      tenantId,
      id: expect.any(String),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      contentType: 'text/plain',
      source: null,
      checksum: sha256(POLICY.content),
      metadata: {},
      status: 'active',
      version: 1,
    });
    expect(await tenant.documents.get(document.id)).toEqual(document);
    expect(await tenant.documents.getByExternalId('refunds')).toEqual(document);
  });

  it('refuses an external id that is taken', async () => {
    const { tenant } = await openAcme();
    await tenant.documents.create(POLICY);
    const error = await rejectionOf(tenant.documents.create(POLICY), AlreadyExistsError);
    expect(error.constraint).toBe('documents.external_id');
  });
});

describe('update', () => {
  it('lets the checksum follow the content', async () => {
    const { tenant } = await openAcme();
    const { id } = await tenant.documents.create(POLICY);
    const updated = await tenant.documents.update(id, { content: 'Within 14 days.' });
    expect(updated).toMatchObject({ content: 'Within 14 days.', checksum: sha256('Within 14 days.'), version: 2 });
  });

  it('leaves the checksum where the content stays', async () => {
    const { tenant } = await openAcme();
    const created = await tenant.documents.create(POLICY);
    const changes = { title: 'Refunds', contentType: 'text/markdown', source: 'intranet', status: 'archived' } as const;
    const updated = await tenant.documents.update(created.id, { ...changes, metadata: { lang: 'en' } });
    expect(updated).toEqual({ ...created, ...changes, metadata: { lang: 'en' }, version: 2 });
  });
});

it('what is not there is said to be missing, by entity and key', async () => {
  const { tenant } = await openAcme();
  for (const call of [() => tenant.documents.get(NOTHING), () => tenant.documents.update(NOTHING, { title: 'x' })]) {
    expect(await rejectionOf(call(), NotFoundError)).toMatchObject({ entity: 'document', key: NOTHING });
  }
  const byKey = await rejectionOf(tenant.documents.getByExternalId('none'), NotFoundError);
  expect(byKey).toMatchObject({ entity: 'document', key: 'none' });
});

it('list gives documents in pages, the oldest first', async () => {
  const { tenant } = await openAcme();
  const made: string[] = [];
  for (const externalId of ['a', 'b', 'c']) made.push((await tenant.documents.create({ ...POLICY, externalId })).id);
  const first = await tenant.documents.list({ limit: 2 });
  const second = await tenant.documents.list({ limit: 2, after: first.next ?? '' });
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made);
  expect(second.next).toBeNull();
});
