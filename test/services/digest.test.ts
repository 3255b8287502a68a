import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../src/errors.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import { archiveFile, jsonLines } from '../interchange/archive-files.js';
import { freshUrl } from '../support/engine-under-test.js';
import { makeEveryEntity } from '../support/every-entity.js';
import { talk, turns } from '../support/invented-archive.js';
import { openAcme, openManager } from '../support/open-manager.js';
import { rawRows } from '../support/raw-rows.js';
import { rejectionOf } from '../support/rejection.js';
import { fakeClock } from '../support/sources.js';

/** Archives that say when things were, that do not, and that only say where in a recording. */
const ARCHIVES = [
  jsonLines([
    talk('timed', {
      messages: [{ role: 'user', content: 'one', at: '2020-01-01T00:00:00Z' }],
      participants: { user: 'ada' },
    }),
    talk('untimed', { metadata: { b: 1, a: 2 } }),
  ]),
  jsonLines([
    talk('call', { modality: 'voice' }),
    talk('recorded', { modality: 'voice', messages: [{ ...turns(1)[0], startMs: 0, endMs: 1500 }] }),
    talk('timed-call', { modality: 'voice', messages: [{ ...turns(1)[0], at: '2020-01-01T00:00:00Z' }] }),
    { kind: 'document', title: 'a', content: 'b', contentType: 'text/plain', source: 'c' },
  ]),
];

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

describe('the digest of a tenant', () => {
  it('is the same for two imports of the same archives, whenever and in whatever order', async () => {
    const files = ARCHIVES.map((text) => archiveFile(text));
    const digests = [];
    for (const [seed, paths] of [files, files.toReversed()].entries()) {
      const clock = fakeClock({ start: `202${String(6 + seed)}-01-01T12:00:00.000Z`, step: 1 });
      const { persistence } = await openManager({ url: await freshUrl(), seed, clock });
      await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
      await importArchives(persistence.tenant('acme'), paths, { strict: true });
      digests.push(await persistence.tenant('acme').digest());
    }
    expect(digests[1]).toBe(digests[0]);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  it('changes with the time of a call that the archive gives, and not with one that it does not', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const acme = persistence.tenant('acme');
    await importArchives(
      acme,
      ARCHIVES.map((text) => archiveFile(text)),
      { strict: true },
    );
    const before = await acme.digest();
    const other = `(select max(created_at) from users)`;
    for (const id of ['call', 'recorded', 'timed-call'])
      await rawRows(url, `update voice_sessions set end_time = ${other} where external_id = 'shop:${id}'`);
    expect(await acme.digest()).not.toBe(before);
    for (const id of ['call', 'recorded'])
      await rawRows(url, `update voice_sessions set start_time = ${other} where external_id = 'shop:${id}'`);
    await rawRows(url, `update voice_sessions set end_time = start_time where external_id = 'shop:timed-call'`);
    expect(await acme.digest()).toBe(before);
  });

  it('changes with any other difference', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    const acme = await makeEveryEntity(persistence, 'acme');
    const seen = new Set([await acme.digest()]);
    const ada = `(select id from users where external_id = 'ada')`;
    const dinner = `conversation_id = (select id from conversations where external_id = 'web:1')`;
    for (const change of [
      `update tenants set name = 'tenant acme'`,
      `update tenants set config = '{"a":{"b":[1.5,null]},"z":1}'`,
      `update users set username = 'Ada Lovelace' where external_id = 'ada'`,
      `update users set metadata = '{"zeta":1}' where external_id = 'ada'`,
      `update users set nickname = '' where external_id = 'Bob'`,
      `update users set external_id = 'bob' where external_id = 'Bob'`,
      `update api_keys set status = 'active'`,
      `update conversations set user_id = ${ada} where external_id is null`,
      `update conversations set last_message_at = null where external_id = 'web:1'`,
      `update conversations set version = version + 1 where external_id = 'web:1'`,
      `update messages set content = 'A table for two, please.' where seq = 1 and ${dinner}`,
      `update messages set content = 'Trailing spaces stay ' where role = 'system'`,
      `update messages set idempotency_key = null`,
      `update messages set parts = '[{"type":"text","a":2,"z":1}]' where seq = 1 and ${dinner}`,
      `update messages set metadata = '{"loudness":-12.250001}' where modality = 'voice'`,
      `delete from messages where seq = 3`,
      `update documents set content = concat(content, ' ')`,
      `update voice_sessions set user_id = (select id from users where external_id = 'bob')`,
      `update voice_sessions set conversation_id = null`,
      `update voice_sessions set end_time = start_time where external_id = 'call-1'`,
      `update usage_records set cost_usd = 1.500001 where subject = 'tenant'`,
      `update usage_records set subject = 'nobody' where subject = 'tenant'`,
    ]) {
      await rawRows(url, change);
      const digest = await acme.digest();
      expect.soft(seen.has(digest), change).toBe(false);
      seen.add(digest);
    }
    const [before] = [[...seen].at(-1)];
    for (const seq of ['set seq = 99 where seq = 1', 'set seq = 1 where seq = 2', 'set seq = 2 where seq = 99'])
      await rawRows(url, `update messages ${seq} and ${dinner}`);
    expect(await acme.digest()).not.toBe(before);
  });

  it('leaves out when rows were made and changed', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url, clock: fakeClock({ step: 1000 }) });
    const acme = await makeEveryEntity(persistence, 'acme');
    const before = await acme.digest();
    const other = `(select max(updated_at) from usage_records)`;
    for (const table of ['users', 'api_keys', 'conversations', 'messages', 'documents', 'voice_sessions'])
      await rawRows(url, `update ${table} set created_at = ${other}, updated_at = ${other}`);
    await rawRows(url, `update conversations set last_message_at = ${other}`);
    expect(await acme.digest()).toBe(before);
  });

  it('is that of its own rows, as they are in the unit of work around it', async () => {
    const { persistence } = await openManager();
    const acme = await makeEveryEntity(persistence, 'acme');
    const before = await acme.digest();
    const beta = await makeEveryEntity(persistence, 'beta');
    expect(await acme.digest()).toBe(before);
    await beta.transaction(async (unit) => {
      const [first, second] = [await beta.digest(), unit.users.create({ externalId: 'new', username: 'new' })];
      expect(second.externalId).toBe('new');
      expect(await beta.digest()).not.toBe(first);
    });
    await rejectionOf(persistence.tenant('nobody').digest(), NotFoundError);
  });

  it('leaves the event loop its turns, and can be aborted', async () => {
    const { tenant, conversationId } = await openAcme();
    for (let seq = 1; seq <= 3; seq += 1) await tenant.messages.append(conversationId, { role: 'user', content: 'x' });
    const controller = new AbortController();
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(tenant.digest({ signal: controller.signal })).rejects.toThrow('enough');
  });

  it('can be computed by anybody from the rows', async () => {
    const { persistence } = await openManager();
    await persistence.tenants.ensure({ slug: 'acme', name: 'Acme' });
    const acme = persistence.tenant('acme');
    const ada = { externalId: 'ada', username: 'Ada', metadata: { b: 1, a: 2 } };
    // Which has no line.
    const { id: userId } = await acme.users.create(ada, { idempotencyKey: 'req-1' });
    const chat = await acme.conversations.start({ userId, externalId: 'web:1' });
    const unnamed = await acme.conversations.start({ userId });
    await acme.messages.append(chat.id, { role: 'user', content: 'Grüße' });
    await acme.usage.add({ userId, day: '2026-01-01', provider: 'p', model: 'm', costUsd: '1.50' });
    const conversation = '"messageCount":1,"metadata":{},"status":"active","summary":null,"title":null,"tokenCount":0';
    const lines = [
      '["tenants",{"config":{},"name":"Acme","plan":"free","quota":{},"slug":"acme","status":"active","version":1}]',
      '["users",{"email":null,"externalId":"ada","metadata":{"b":1,"a":2},"nickname":null,"phone":null,"role":"user","status":"active","username":"Ada","version":1}]',
      `["conversations",{"externalId":"web:1","lastMessageAt":true,${conversation},"userId":["ada"],"version":1}]`,
      `["conversations",{"externalId":null,"id":"${unnamed.id}","lastMessageAt":null,${conversation.replace(':1', ':0')},"userId":["ada"],"version":1}]`,
      '["messages",{"content":"Grüße","conversationId":["web:1"],"idempotencyKey":null,"metadata":null,"modality":"text","parts":null,"references":null,"role":"user","seq":1,"tokenCount":0}]',
      '["usage_records",{"audioSeconds":0,"completionTokens":0,"costUsd":"1.5","day":"2026-01-01","model":"m","promptTokens":0,"provider":"p","requests":1,"subject":["ada"],"userId":["ada"]}]',
    ];
    const sum = lines.reduce((total, line) => total + BigInt(`0x${sha256(line)}`), 0n) % 2n ** 256n;
    expect(await acme.digest()).toBe(sha256(Buffer.from(sum.toString(16).padStart(64, '0'), 'hex')));
  });
});
